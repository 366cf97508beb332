package main_test

import (
	"context"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// appLoss holds the recovery time against a witness: a client that shares
// nothing with gameday, at 200 requests a second.
func (l *labTest) appLoss() {
	enginetest.Alone(l.t)
	ctx, stop := context.WithCancel(l.t.Context())
	seen := make(chan []witnessed, 1)
	go func() { seen <- witness(ctx) }()
	out := l.gameday("run", "checkout-app-loss", "--json", "--set", "timing.baseline=4s", "--set", "timing.watch=10s", "--set", "objective.rto=6s")
	stop()
	v := l.parse(out)
	if out.code != 0 || v.Verdict != "disproved" || v.State != "recovered" && v.State != "unaffected" || *v.Hi > 10 {
		why, _ := os.ReadFile(filepath.Join(l.dir, "gameday-runs", v.Run, "report.md"))
		l.t.Fatalf("%+v\n%s\n%s", v, out.stderr, why)
	}
	const watched = 9 * time.Second // of the ten in which the fault is watched
	// What each saw: the first badly served user, and the last. The witness's own
	// gap there is as long as it was held up.
	var first, last, gapBefore, gapAfter, previous time.Duration
	hit, all := 0, 0
	for _, w := range <-seen {
		at := w.sent.Sub(v.FaultAt)
		if at >= 0 && at <= watched {
			all++
		}
		switch {
		case at < 0 || at > watched:
		case w.bad:
			if hit++; hit == 1 {
				first, gapBefore = at, at-previous
			}
			last, gapAfter = at, 0
		case gapAfter == 0 && hit > 0:
			gapAfter = at - last
		}
		previous = at
	}
	if v.State == "unaffected" {
		// Every connection to the dead server was refused at once, and went to the other:
		// then the witness must have seen next to nothing too.
		l.t.Logf("unaffected; of the witness's %d requests %d were served badly", all, hit)
		if hit > all/100 {
			l.t.Error("they do not agree")
		}
		l.report(v)
		return
	}
	// A gap of gameday's users: 20 ms, with half a gap of jitter.
	const gap = 0.030
	ourFirst, ourLast := *v.FirstImpact, *v.FirstImpact+*v.Lo
	l.t.Logf("badly served: gameday's users from %.3f s to %.3f s after the fault, the witness from %.3f s to %.3f s (%d requests); gaps there %v and %v",
		ourFirst, ourLast, first.Seconds(), last.Seconds(), hit, gapBefore, gapAfter)
	// The end is the same for everybody: HAProxy's check fails, and nobody is sent
	// there any more. At the beginning, while the server dies, who is hit is chance: a
	// refused connection goes to the other server at once, and a user counts from when
	// he set out. Nobody may be told to have been hit long after others were.
	const chance = 0.5
	if hit < 10 || ourFirst > first.Seconds()+gapBefore.Seconds()+chance || math.Abs(ourLast-last.Seconds()) > gap+gapAfter.Seconds() {
		l.t.Error("they do not agree to within one gap of each")
	}
	l.report(v)
}

// report holds the promise that a report is ready within a second of the end.
func (l *labTest) report(v verdict) {
	info, err := os.Stat(filepath.Join(l.dir, "gameday-runs", v.Run, "report.md"))
	if err != nil {
		l.t.Fatal(err)
	}
	late := info.ModTime().Sub(v.Finished)
	l.t.Logf("report written %v after the run was finished; fault in force %v after it was ordered",
		late.Round(time.Millisecond), v.Faults[0].InForce.Sub(v.Faults[0].Ordered))
	if late > time.Second {
		l.t.Errorf("the report took %v", late)
	}
}

type witnessed struct {
	sent time.Time
	bad  bool
}

func witness(ctx context.Context) []witnessed {
	var (
		mu   sync.Mutex
		all  []witnessed
		done sync.WaitGroup
	)
	transport := &http.Transport{MaxIdleConnsPerHost: 500}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: 2 * time.Second}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		<-ticker.C
		done.Go(func() {
			sent := time.Now()
			response, err := c.Get("http://127.0.0.1:18410/products") //nolint:noctx // bounded by the client's timeout
			bad := err != nil || response.StatusCode != http.StatusOK
			if err == nil {
				_ = response.Body.Close()
			}
			bad = bad || time.Since(sent) > 500*time.Millisecond
			mu.Lock()
			defer mu.Unlock()
			all = append(all, witnessed{sent, bad})
		})
	}
	done.Wait()
	slices.SortFunc(all, func(a, b witnessed) int { return a.sent.Compare(b.sent) })
	return all
}
