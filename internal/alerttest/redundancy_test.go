package alerttest_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// standbys is how many standbys the primary of the lab streams to, by its own view.
const standbys = "SELECT count(*) FROM pg_stat_replication"

const replicaLoss = `version: 1
name: db-loss
environment: lab/checkout-ha
objective: {rto: 8s, hold: 2s}
load: [{journey: checkout, rate: 20/s, critical: true}]
faults: [{kill: {target: {role: db-replica, any: 1}}}]
timing: {baseline: 8s, watch: 12s, repair: 60s}
must: [{name: two standbys, sql: {url: "postgres://shop:shop@198.18.20.100:5000/shop?sslmode=disable", statement: "` + standbys + `"}, equals: 2, `

// A standby that is away for longer than a condition allows degrades a verdict; one that is
// back in time was back when the database's own view says so.
func TestRedundancy(t *testing.T) { //nolint:paralleltest // it measures
	enginetest.Long(t, "alerts")
	enginetest.Alone(t)
	g := up(t, "checkout-ha")
	t.Run("held away", func(t *testing.T) { //nolint:paralleltest // as said
		eventually(t, "two standbys stream", func() bool { return ask(t.Context()) == "2" })
		_, r := experiment(t, g, replicaLoss+"again_within: 4s}]\n")
		c := r.Conditions[0]
		t.Logf("%s %s, broken at %v, again at %v", r.Outcome, r.Reason, c.BrokenAt, c.Again)
		if r.Outcome != verdict.Degraded || r.Reason != verdict.ConditionNotMet || c.Verdict != verdict.NotMet {
			t.Errorf("%s %s: %+v", r.Outcome, r.Reason, c)
		}
	})
	t.Run("back in time", func(t *testing.T) { //nolint:paralleltest // as said
		eventually(t, "two standbys stream", func() bool { return ask(t.Context()) == "2" })
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		back := make(chan time.Time, 1)
		go witness(ctx, back)
		_, r := experiment(t, g, replicaLoss+"again_within: 60s}]\n")
		c := r.Conditions[0]
		if r.Outcome != verdict.Disproved || c.Verdict != verdict.IsMet || c.Again == nil {
			t.Fatalf("%s %s: %+v", r.Outcome, r.Reason, c)
		}
		truth := (<-back).Sub(*r.FaultAt)
		t.Logf("two standbys again after %v, the report says %v to %v; users %s", truth, c.Again.Lo(), c.Again.Hi(), r.State)
		if truth < c.Again.Lo()-look || truth > c.Again.Hi()+look {
			t.Errorf("two standbys again after %v, the bounds are %v to %v", truth, c.Again.Lo(), c.Again.Hi())
		}
	})
}

// look is how often the witness looks, with the time for an answer.
const look = 200 * time.Millisecond

// ask is the number of standbys, or "" if the database does not answer.
func ask(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	c, err := pgconn.Connect(ctx, "postgres://shop:shop@198.18.20.100:5000/shop?sslmode=disable")
	if err != nil {
		return ""
	}
	defer c.Close(ctx)
	result := c.ExecParams(ctx, standbys, nil, nil, nil, nil).Read()
	if result.Err != nil || len(result.Rows) != 1 {
		return ""
	}
	return string(result.Rows[0][0])
}

// witness tells when there are two standbys again after there were fewer.
func witness(ctx context.Context, back chan<- time.Time) {
	fewer := false
	for {
		switch ask(ctx) {
		case "2":
			if fewer {
				back <- time.Now()
				return
			}
		case "0", "1":
			fewer = true
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(look / 4):
		}
	}
}
