package register_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/register"
)

const text = `version: 1
spofs:
  - component: db
    environment: staging
    decision: accept
    owner: Ada
    rto: 4h
    reason: It is small.
    plan: A standby in spring.
    review: 2027-03-01
    cost: {hour_down: 1000, failures_a_year: 0.5, redundancy_a_month: 100, currency: EUR}
`

func load(t *testing.T) register.Register {
	t.Helper()
	r, err := register.Load("spofs.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestAnAcceptanceHoldsForAsLongAsItSays(t *testing.T) {
	t.Parallel()
	d, ok := load(t).Find("staging", "db")
	if !ok || len(d.Lacks(now)) != 0 || d.Where != "spofs.yaml:3:5" {
		t.Fatalf("%+v lacks %v", d, d.Lacks(now))
	}
	if ok, why := d.Accepts(time.Hour, now); !ok {
		t.Error(why)
	}
	if ok, _ := d.Accepts(time.Hour, time.Date(2027, 3, 1, 23, 59, 0, 0, time.UTC)); !ok {
		t.Error("it expires before the end of its last day")
	}
	for want, c := range map[string]struct {
		change func(*register.Decision)
		lasted time.Duration
		now    time.Time
	}{
		"no owner":                  {func(d *register.Decision) { d.Owner = "" }, 0, now},
		"no rto":                    {func(d *register.Decision) { d.RTO = 0 }, 0, now},
		"no review date":            {func(d *register.Decision) { d.Review = register.Date{} }, 0, now},
		"expired on 2027":           {func(*register.Decision) {}, 0, now.AddDate(1, 0, 0)},
		"lasted at least":           {func(*register.Decision) {}, 5 * time.Hour, now},
		"the decision is to fix it": {func(d *register.Decision) { d.Decision = register.Fix }, 0, now},
	} {
		other := d
		c.change(&other)
		if ok, why := other.Accepts(c.lasted, c.now); ok || !strings.Contains(why, want) {
			t.Errorf("%v %q, expected %q", ok, why, want)
		}
	}
}

func TestWhatIsWrongIsTold(t *testing.T) {
	t.Parallel()
	for bad, want := range map[string]string{
		"version: 2": "use a newer gameday",
		strings.Replace(text, "accept", "ignore", 1):                 "decision: found \"ignore\"",
		strings.Replace(text, "2027-03-01", "soon", 1):               "expected a date such as",
		strings.Replace(text, "owner", "ower", 1):                    `did you mean "owner"?`,
		text + strings.Split(text, "spofs:\n")[1]:                    "duplicate decision",
		strings.Replace(text, "hour_down: 1000", "hour_down: -1", 1): "found a negative number",
	} {
		if _, err := register.Load("spofs.yaml", []byte(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

func TestCost(t *testing.T) {
	t.Parallel()
	c := load(t).SPOFs[0].Cost
	living, redundancy, breakEven := c.Yearly(30 * time.Minute)
	if living != 250 || redundancy != 1200 || breakEven != 2.4 {
		t.Errorf("%v %v %v", living, redundancy, breakEven)
	}
	if _, _, never := (register.Cost{Redundancy: 1}).Yearly(time.Hour); !math.IsInf(never, 1) {
		t.Errorf("%v", never)
	}
}
