#!/usr/bin/env python3
"""Writes oracle.txt beside itself: what Python's integers and fractions say that amounts must be.

Run it from anywhere; the same file comes out each time. Lines, fields separated by one blank:

  value TEXT                                   an operand; the first one has index 0
  pair I J SUM DIFFERENCE PRODUCT Q R Q' R'    of operands I and J: I / J is Q, R and J / I is Q', R',
                                               truncated towards zero, "-" when the divisor is zero
  scaled TEXT PRECISION RESULT                 TEXT * PRECISION, halves away from zero
  shown PRECISE PRECISION TEXT                 PRECISE / PRECISION as a decimal

A result of more than 40 digits in a `pair` line is written [-]#DIGITS:RESIDUE, its number of digits and its
magnitude modulo 2^61 - 1: the pairs of thousand-digit numbers would fill megabytes.
"""

import random
from fractions import Fraction
from pathlib import Path

MODULUS = 2**61 - 1
SEED = 20_240_601


def brief(value):
    text = str(value)
    sign, digits = ("-", text[1:]) if value < 0 else ("", text)
    return text if len(digits) <= 40 else f"{sign}#{len(digits)}:{abs(value) % MODULUS}"


def truncated(dividend, divisor):
    if divisor == 0:
        return "-", "-"
    quotient = abs(dividend) // abs(divisor)
    if (dividend < 0) != (divisor < 0):
        quotient = -quotient
    return brief(quotient), brief(dividend - quotient * divisor)


def half_away(fraction):
    magnitude = int(abs(fraction) + Fraction(1, 2))
    return -magnitude if fraction < 0 else magnitude


def point(unscaled, scale):
    """The decimal unscaled / 10^scale without zeros at the end of its fraction."""
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    whole, fraction = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    fraction = fraction.rstrip("0")
    return ("-" if unscaled < 0 else "") + whole + ("." + fraction if fraction else "")


def shown(precise, precision):
    value = Fraction(precise, precision)
    rest, scale = value.denominator, 0
    while rest % 10 == 0:
        rest, scale = rest // 10, scale + 1
    for factor in (2, 5):
        while rest % factor == 0:
            rest, scale = rest // factor, scale + 1
    if rest == 1:
        return point(int(value * 10**scale), scale)
    return point(half_away(value * 10**16), 16)


def edges():
    values = {0, 1, 2}
    for power in (2**63, 2**64, 2**127, 2**128, 10**18, 10**19, 10**38, 10**39, 10**999):
        values |= {power - 1, power, power + 1}
    return sorted(values | {-value for value in values}, key=lambda value: (abs(value), value))


def sized(generator, digits):
    value = generator.randrange(10 ** (digits - 1), 10**digits)
    return -value if generator.random() < 0.5 else value


def pairs(generator, lines):
    values = edges()
    count = len(values)
    chosen = [(i, j) for i in range(count) for j in range(i, count)]
    for _ in range(250):
        # Sizes are even in the exponent: small numbers are as common as large ones.
        values += [sized(generator, int(10 ** generator.uniform(0, 2.3))) for _ in range(2)]
        chosen.append((len(values) - 2, len(values) - 1))
    lines += [f"value {value}" for value in values]
    for i, j in chosen:
        a, b = values[i], values[j]
        fields = [brief(a + b), brief(a - b), brief(a * b), *truncated(a, b), *truncated(b, a)]
        lines.append(" ".join(["pair", str(i), str(j), *fields]))


def scalings(generator, lines):
    texts = ["0", "-0", "0.0", "-0.00", "1", "1.0", "1.005", "0.29", "0.285", "1.115", "-1.005",
             "0.5", "-0.5", "1.5", "2.5", "-2.5", "0.49", "0.51", "0.4999999999999999999999",
             "0.5000000000000000000001", "-0.4999999999999999999999", "-0.5000000000000000000001", "007.50", "9.995", "99999999.995",
             "0." + "0" * 52 + "5", "123456789012345678901234567890.12345",
             "170141183460469231731687303715884105727.5", "-170141183460469231731687303715884105728.5",
             "9" * 999 + ".5", "0." + "4" + "9" * 998, "0." + "5" + "0" * 997 + "1", "9" * 1000]
    for _ in range(60):
        whole = str(abs(sized(generator, generator.randint(1, 40))))
        fraction = str(generator.randrange(10**30))[: generator.randint(1, 30)]
        texts.append(generator.choice(["", "-"]) + whole + "." + fraction)
    for text in texts:
        precisions = (1, 2, 3, 7, 10, 100, 1000, 10**8, 10**18, 10**38)
        if len(text) > 100:
            precisions = (1, 3, 100, 10**18)
        for precision in precisions:
            lines.append(f"scaled {text} {precision} {half_away(Fraction(text) * precision)}")


def showings(generator, lines):
    precisions = [1, 2, 3, 4, 5, 6, 7, 8, 10, 20, 25, 40, 64, 99, 100, 125, 300_000, 10**8, 10**18, 10**19,
                  2**64, 2**70, 5**40, 3 * 10**38, 10**38, 10**45, 7**60]
    numbers = [0, 1, -1, 2, 3, 5, 7, 10, 500, 12345, -12345, 300_000, 2**64, -(2**127), 2**128, 10**38,
               10**60]
    numbers += [sized(generator, generator.randint(1, 60)) for _ in range(20)]
    for precise in numbers:
        for precision in precisions:
            lines.append(f"shown {precise} {precision} {shown(precise, precision)}")
    long = ((10**999 - 1, 100), (10**999, 3), (-(10**999) - 1, 2**100), (1, 10**999), (1, 3**500))
    for precise, precision in long:
        lines.append(f"shown {precise} {precision} {shown(precise, precision)}")


def main():
    generator = random.Random(SEED)
    lines = []
    pairs(generator, lines)
    scalings(generator, lines)
    showings(generator, lines)
    target = Path(__file__).parent / "oracle.txt"
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
