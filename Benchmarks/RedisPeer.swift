// Redis in the same run: GET through a Unix socket by its own benchmark, where both programs are installed.

import Platform

enum RedisPeer {
  /// Runs and prints it; says so when it is not installed.
  static func run(_ scale: Scale, directory: String) throws {
    let script = """
      command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null || { echo "  redis: not installed, left out"; exit 0; }
      redis-server --port 0 --unixsocket "$1/redis.sock" --save '' --appendonly no >/dev/null 2>&1 &
      server=$!
      for i in 1 2 3 4 5 6 7 8 9 10; do redis-cli -s "$1/redis.sock" ping >/dev/null 2>&1 && break; sleep 0.1; done
      # Values as long as a balance's object, so that both answer with what they have.
      count=\(scale(3_000_000))
      redis-benchmark -s "$1/redis.sock" -t set -n $count -r 1000000 -d 480 -P 200 -c 1 -q >/dev/null 2>&1
      for depth in 1 100; do
        count=$([ $depth = 1 ] && echo \(scale(50_000)) || echo \(scale(1_000_000)))
        redis-benchmark -s "$1/redis.sock" -t get -n $count -P $depth -c 1 -r 1000000 --csv 2>/dev/null |
          awk -F'"' -v depth=$depth '$2 == "GET" { printf "  redis GET, depth %-3s %12.0f/s   p50 %8.2f µs   p99 %8.2f µs\\n", depth, $4, $10 * 1000, $14 * 1000 }'
      done
      kill $server; wait $server 2>/dev/null
      """
    var child = try ChildProcess(["/bin/sh", "-c", script, "redis-peer", directory])
    _ = try child.finish()
  }
}
