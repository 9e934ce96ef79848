// PostgreSQL in the same run: a transfer function, asked by pgbench through a Unix socket, where installed.

import Platform

/// Our figures with durable transfers, to stand beside another program's. Times in microseconds.
struct PeerFigures {
  let clientCount: Int
  let rate: Double
  let median: Double
  let p99: Double
}

/// Durable transfers with synchronous_commit on: both balances locked and updated, a row with a unique
/// reference inserted, in one call of one function, so that a transfer costs one round trip and one commit.
enum PostgresPeer {
  /// Runs and prints it, and the ratios of `ours` to it; says so when it is not installed. The cluster lies
  /// in `directory`, on the same disk.
  static func run(_ scale: Scale, directory: String, beside ours: [PeerFigures]) throws {
    let figures = ours.map { "\($0.clientCount):\($0.rate):\($0.median):\($0.p99)" }.joined(separator: " ")
    let arguments = [directory, "\(scale(1_000_000, least: 1000))", "\(scale(10))", figures]
    var child = try ChildProcess(["/bin/sh", "-c", script, "postgres-peer"] + arguments)
    guard try child.finish() == 0 else { throw PeerFailure.failed }
  }

  /// Parameters: directory, balances, seconds for each number of clients, our figures, one word for each
  /// number of clients: that, transfers a second, p50, p99.
  private static let script = #"""
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
    if ! [ -x "$bin/initdb" ] || ! command -v pgbench >/dev/null; then
      echo "  PostgreSQL: not installed, left out"; exit 0
    fi
    dir=$1/postgres rows=$2 seconds=$3 ours=$4 as=
    mkdir "$dir"
    # PostgreSQL refuses to run as root.
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; chmod 755 "$1"; as="runuser -u postgres --"; fi
    $as "$bin/initdb" -D "$dir/data" -A trust -U postgres >/dev/null || exit 1
    settings="-c listen_addresses= -c unix_socket_directories=$dir -c shared_buffers=1GB"
    settings="$settings -c max_wal_size=8GB -c synchronous_commit=on"
    $as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "$settings" start >/dev/null || exit 1
    trap '$as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null' EXIT
    psql -q -h "$dir" -U postgres -v ON_ERROR_STOP=1 -v rows=$rows <<'SQL'
    create table balance (
      id int primary key, currency text not null, balance numeric not null default 0,
      credit numeric not null default 0, debit numeric not null default 0, version bigint not null default 0
    ) with (fillfactor = 70);
    create table transfer (
      id bigserial primary key, source int not null, destination int not null, amount numeric not null,
      currency text not null, reference text unique not null,
      created_at timestamptz not null default clock_timestamp());
    create function transfer(s int, d int, a numeric, r text) returns bigint language plpgsql as $$
    declare made bigint;
    begin
      perform 1 from balance where id in (s, d) order by id for update;
      update balance set balance = balance - a, debit = debit + a, version = version + 1 where id = s;
      update balance set balance = balance + a, credit = credit + a, version = version + 1 where id = d;
      insert into transfer (source, destination, amount, currency, reference)
        values (s, d, a, 'USD', r) returning id into made;
      return made;
    end $$;
    insert into balance (id, currency) select n, 'USD' from generate_series(1, :rows) n;
    vacuum analyze balance;
    checkpoint;
    SQL
    cat > "$dir/transfer.sql" <<SQL
    \set s random(1, $rows)
    \set d 1 + (:s + random(0, $rows - 2)) % $rows
    \set a random(1, 1000)
    \set r random(1, 9000000000000000000)
    select transfer(:s, :d, :a, 'ref-' || :r::bigint || '-' || :client_id);
    SQL
    for our in $ours; do
      clients=${our%%:*}
      log=$1/pgbench$clients
      (cd "$1" && pgbench -n -h "$dir" -U postgres -M prepared -c $clients -j 1 -T $seconds \
        -f "$dir/transfer.sql" -l --log-prefix="$log" postgres) > "$log" 2>&1 || { cat "$log"; exit 1; }
      rate=$(awk '/^tps/ { print $3 }' "$log")
      sort -n -k3,3 "$log".* | awk -v rate=$rate -v our=$our '{ t[NR] = $3 } END {
        split(our, o, ":"); p50 = t[int(NR / 2) + 1]; p99 = t[int(NR * 0.99) + 1]
        printf "PostgreSQL, %2d clients %29.0f/s       p50 %.0f µs         p99 %.0f µs\n", o[1], rate, p50, p99
        printf "    ours / PostgreSQL: transfers a second %.1f, p50 %.2f, p99 %.2f\n",
          o[2] / rate, o[3] / p50, o[4] / p99 }'
    done
    """#
}

private enum PeerFailure: Error { case failed }
