#!/usr/bin/env python3
# Asks Ledgerline and PostgreSQL the same random questions about the same rows and compares the answers.
"""usage: oracle.py [--seeds N] [--questions N] [--large N] [--seed SEED]
N seeds (8) of small books with 600 questions each, then --large (2) of books of several stripes with a sixth
of them. LEDGERLINE_SEED or --seed repeats one: odd seeds are small, even ones large. LEDGERLINE_BINARY is the
program. Exits with 1 when an answer differs, or when a rule planted wrong was not noticed."""

import argparse
import dataclasses
import json
import math
import os
import random
import sys
import time
from fractions import Fraction

import tables
from books import Books, time_text
from ledgerline import Refused, Server, program
from postgres import NotInstalled, Postgres
from questions import Questions, method, params
from translation import Rules, Translation

SMALL, LARGE = (1500, 1500), (70_000, 2000)


class Answers:
    """What one side says: rows as places in the order of creation, or groups; a count if one was asked for."""

    def __init__(self, rows, count=None):
        self.rows, self.count = rows, count

    def __eq__(self, other):
        return self.rows == other.rows and self.count == other.count


class Run:
    """One seed: books, questions, and both sides' answers."""

    def __init__(self, seed, is_large, question_count, client, postgres):
        self.seed, self.client, self.postgres = seed, client, postgres
        generator = random.Random(seed)
        sizes = LARGE if is_large else SMALL
        self.books = Books(client, generator, *sizes)
        self.rows = tables.load(postgres, self.books)
        self.seq = {table: {row[tables.identifier_of(table)]: row["seq"] for row in rows}
                    for table, rows in self.rows.items()}
        self.scale = math.lcm(*{int(row["precision"]) for row in self.rows["transactions"]})
        self.check_sums()
        questions = Questions(generator, self.rows)
        self.questions = [questions.question() for _ in range(question_count)]
        self.failures = 0

    def check_sums(self):
        """What balances hold is what the transactions moved."""
        wrong = self.postgres.run("""
            SELECT balance_id, credit_balance, debit_balance, credit, debit FROM balances
            LEFT JOIN (SELECT destination, sum(precise_amount) credit FROM transactions GROUP BY 1) AS c
              ON destination = balance_id
            LEFT JOIN (SELECT source, sum(precise_amount) debit FROM transactions GROUP BY 1) AS d
              ON source = balance_id
            WHERE credit_balance <> coalesce(credit, 0) OR debit_balance <> coalesce(debit, 0)
              OR balance <> credit_balance - debit_balance LIMIT 3;""")
        if wrong:
            raise RuntimeError("balances are not what was moved:\n" + wrong)

    # MARK: Ledgerline

    def ours(self, question):
        text = params(question)
        if question["form"] == "stream":
            return Answers(self.places(question, self.client.stream(method(question), text)))
        if question["form"] == "cursor":
            return self.walk(question, text)
        return self.read(question, self.client.call(method(question), text))

    def read(self, question, result):
        if question["kind"] == "aggregate":
            names = question["group_by"] + question["metrics"]
            for group in result:
                if list(group) != names:
                    raise RuntimeError(f"members {list(group)} instead of {names}")
            return Answers([list(group.values()) for group in result])
        if question["count"]:
            return Answers(self.places(question, result["data"]), result["total_count"])
        return Answers(self.places(question, result))

    def places(self, question, rows):
        """Also compares the rows with what the stream of all rows has shown."""
        table = question["table"]
        places = [self.seq[table][row[tables.identifier_of(table)]] for row in rows]
        for place, row in zip(places, rows):
            known = self.rows[table][place]
            if any(known[name] != shown for name, shown in row.items()):
                raise RuntimeError(f"a row is shown as {row}, and was {known}")
        return places

    def walk(self, question, text):
        """All pages by cursor."""
        rows, cursor, count = [], None, None
        while True:
            page = self.client.call(method(question), text[:-1] + f',"cursor":{json.dumps(cursor)}}}')
            if count not in (None, page.get("total_count")):
                raise RuntimeError(f"total_count {count} has become {page.get('total_count')}")
            rows += self.places(question, page["data"])
            count, cursor = page.get("total_count"), page["next_cursor"]
            if cursor is None:
                return Answers(rows, count)
            if len(page["data"]) != question["limit"]:
                raise RuntimeError(f"a page of {len(page['data'])} rows that is not the last")

    # MARK: PostgreSQL

    def theirs(self, questions, rules=Rules()):
        translation = Translation(self.scale, rules)
        statements = []
        for question in questions:
            if question["kind"] == "aggregate":
                statements.append(translation.groups(question))
                continue
            whole = dict(question, limit=None) if question["form"] == "cursor" else question
            statements.append(translation.rows(whole))
            if question["count"]:
                statements.append(translation.count(question))
        answers = iter(self.postgres.answers(statements))
        return [self.told(question, answers) for question in questions]

    def told(self, question, answers):
        lines = next(answers)
        if question["kind"] == "aggregate":
            return Answers([group(question, json.loads(line)) for line in lines])
        return Answers([int(line) for line in lines], int(next(answers)[0]) if question["count"] else None)

    # MARK: Comparison

    def compare(self):
        start = time.time()
        self.answers = [self.asked(question) for question in self.questions]
        asked = time.time()
        self.expected = self.theirs(self.questions)
        for question, ours, theirs in zip(self.questions, self.answers, self.expected):
            if ours is not None and ours != theirs:
                self.report(question, ours, theirs)
        batches = self.compare_batches()
        self.compare_explained()
        matches = sum(len(answer.rows) for answer in self.expected)
        print(f"oracle: seed {self.seed}: {len(self.questions)} questions ({matches} rows or groups), "
              f"{batches} again in batches; {asked - start:.0f} s and {time.time() - asked:.0f} s; "
              f"{self.failures} differences", flush=True)

    def asked(self, question):
        try:
            return self.ours(question)
        except (Refused, RuntimeError) as error:
            self.fail(question, str(error))
            return None

    def compare_batches(self):
        """The same questions in batches of one moment have the same answers."""
        plain = [(question, answer) for question, answer in zip(self.questions, self.answers)
                 if answer is not None and question["table"] in ("balances", "transactions")
                 and question["form"] in ("filter", "aggregate")]
        for start in range(0, len(plain), 25):
            batch = plain[start:start + 25]
            members = [f'{{"table":"{question["table"]}",{params(question)[1:]}' for question, _ in batch]
            try:
                results = self.client.call("balances.query", f'{{"queries":[{",".join(members)}]}}')["results"]
            except Refused as error:
                self.fail(batch[0][0], f"in a batch of {len(batch)}: {error}")
                continue
            for (question, answer), result in zip(batch, results):
                ours = self.read(question, result["result"])
                if ours != answer:
                    self.fail(question, f"in a batch: {shown(ours)}\n  alone: {shown(answer)}")
        return len(plain)

    def compare_explained(self):
        """What `balances.explain` counts is what the answer has."""
        for question, answer in list(zip(self.questions, self.answers))[::7]:
            if question["form"] not in ("filter", "aggregate") or question["table"] not in ("balances", "transactions"):
                continue
            told = self.client.call("balances.explain", f'{{"table":"{question["table"]}",{params(question)[1:]}')
            if answer is not None and (told["row_count"], told.get("total_count")) != (len(answer.rows), answer.count):
                self.fail(question, f"explained: {told}\n  answered: {shown(answer)}")

    def report(self, question, ours, theirs):
        text = f"ours       {shown(ours)}\n  PostgreSQL {shown(theirs)}"
        place = next((place for place, pair in enumerate(zip(ours.rows, theirs.rows)) if pair[0] != pair[1]),
                     min(len(ours.rows), len(theirs.rows)))
        text += f"\n  first difference at {place}: {ours.rows[place:place + 3]}, {theirs.rows[place:place + 3]}"
        for row in (ours.rows[place:place + 1] + theirs.rows[place:place + 1]) * (question["kind"] == "filter"):
            text += f"\n    row {row}: " + json.dumps(self.rows[question["table"]][row], ensure_ascii=False)
        self.fail(question, text)

    def fail(self, question, text):
        self.failures += 1
        if self.failures > 5:
            return
        translation = Translation(self.scale)
        sql = translation.groups(question) if question["kind"] == "aggregate" else translation.rows(question)
        print(f"oracle: LEDGERLINE_SEED={self.seed} ({question['form']})\n  {method(question)} {params(question)}\n"
              f"  {sql}\n  {text}", flush=True)

    def check_canaries(self):
        """Each rule planted wrong, one after another, must make a difference.
        - Returns: how many were not noticed."""
        unnoticed = 0
        for field in dataclasses.fields(Rules):
            planted = self.theirs(self.questions, dataclasses.replace(Rules(), **{field.name: False}))
            # Only where the right rule agrees: a fault of ours must not pass for a canary.
            found = sum(ours == theirs != wrong
                        for ours, theirs, wrong in zip(self.answers, self.expected, planted))
            if found == 0:
                unnoticed += 1
                print(f"oracle: nobody noticed that {field.name} was planted wrong", flush=True)
            else:
                print(f"oracle: {field.name} planted wrong: {found} differences, as there must be", flush=True)
        return unnoticed


def group(question, values):
    """A group as PostgreSQL tells it, in the form of ours."""
    values = iter(values)
    shown = [next(values) for _ in question["group_by"]]
    shown = [value == "true" if name == "track_fund_lineage" else value
             for name, value in zip(question["group_by"], shown)]
    for metric in question["metrics"]:
        function, _, field = metric.partition(":")
        value = next(values)
        if function == "count":
            value = int(value)
        elif function == "avg":
            count = int(next(values))
            value = average(int(value), count) if count else None
        elif field == "created_at" and value is not None:
            value = plain_time(int(value))
        shown.append(value)
    return shown


def average(total, count):
    """Half to even at six digits after the point, without zeros at the end."""
    millionths = round(Fraction(total * 1_000_000, count))
    sign, digits = "-" if millionths < 0 else "", f"{abs(millionths):07d}"
    return (sign + digits[:-6] + "." + digits[-6:]).rstrip("0").rstrip(".")


def plain_time(time):
    whole, _, fraction = time_text(time)[:-1].partition(".")
    return whole + ("." + fraction if int(fraction) else "") + "Z"


def shown(answer):
    rows = json.dumps(answer.rows[:12], ensure_ascii=False)
    return f"{len(answer.rows)} {rows}{'…' if len(answer.rows) > 12 else ''}" + (
        f", count {answer.count}" if answer.count is not None else "")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--large", type=int, default=2)
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--seed", type=int, default=os.environ.get("LEDGERLINE_SEED"))
    options = parser.parse_args()
    seeds = [2 * number + 1 for number in range(options.seeds)] + [2 * number + 2 for number in range(options.large)]
    if options.seed is not None:
        seeds = [int(options.seed)]
    try:
        postgres = Postgres()
    except NotInstalled as error:
        print(f"oracle: {error}", file=sys.stderr)
        return 1
    try:
        postgres.start()
        return run(postgres, seeds, options.questions)
    finally:
        postgres.stop()


def run(postgres, seeds, question_count):
    failures = total = unnoticed = 0
    for place, seed in enumerate(seeds):
        is_large = seed % 2 == 0
        with Server(program()) as client:
            run = Run(seed, is_large, question_count // 6 if is_large else question_count, client, postgres)
            run.compare()
            if place == 0:
                unnoticed = run.check_canaries()
        failures += run.failures
        total += len(run.questions)
    print(f"oracle: {total} questions, {failures} differences from PostgreSQL", flush=True)
    return 1 if failures or unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
