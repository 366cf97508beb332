#!/bin/sh
# Makes the pictures in this folder from a real run of checkout-db-loss in its lab: the
# report's page, its chart, and the live view on a terminal. It needs an engine, tmux, aha
# and chromium. phases.svg is drawn by hand.
set -eu
cd "$(dirname "$0")/../.."
out=$PWD/docs/img
work=$(mktemp -d)
trap 'tmux -L gameday-img kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
go build -o "$work/gameday" ./cmd/gameday

picture() { # FILE WIDTH HEIGHT PAGE
	chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
		--window-size="$2,$3" --screenshot="$out/$1" "file://$4" >/dev/null 2>&1
}

# until waits for a command to succeed, for at most ten minutes.
until_true() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ "$n" -lt 1200 ] || { echo "gave up waiting: $*" >&2; exit 1; }
		sleep 0.5
	done
}
shows() { tmux -L gameday-img capture-pane -p | grep -q "$1"; }
ended() { ! tmux -L gameday-img has-session 2>/dev/null; }

tmux -L gameday-img -f /dev/null new-session -d -x 96 -y 24 "cd $work && exec ./gameday run checkout-db-loss --logs 300"
until_true shows 'watch  2[0-9]s'
tmux -L gameday-img capture-pane -pe >"$work/live.ansi"
until_true ended

{
	echo '<!doctype html><meta charset="utf-8"><style>body { margin: 0; padding: 18px; background: #11151a; color: #e7eaee } pre { font: 15px/1.35 "DejaVu Sans Mono", monospace; margin: 0 }</style><pre>'
	sed 's/[[:space:]]*$//' "$work/live.ansi" | grep -v '^$' | aha --no-header
	echo '</pre>'
} >"$work/live.html"
picture live.png 920 200 "$work/live.html"

run=$(ls -d "$work"/gameday-runs/*/)
picture report.png 1000 1180 "${run}report.html"
cp "${run}report.png" "$out/chart.png"
