package unit_test

import (
	"encoding"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/unit"
)

// again reads what was written of a quantity, as the journal does.
func again(t *rapid.T, was encoding.TextMarshaler, into encoding.TextUnmarshaler) {
	t.Helper()
	text, err := was.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := into.UnmarshalText(text); err != nil {
		t.Fatalf("%s cannot be read again: %v", text, err)
	}
}

// Every quantity that can be loaded is the same when it is written and read: what
// the journal holds is what is undone.
func TestQuantitiesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ratio := unit.Ratio(rapid.OneOf(
			rapid.Float64Range(1e-300, 1),
			rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(1, 100_000).Draw(t, "n")) / 100_000 }),
		).Draw(t, "ratio"))
		var ratioAgain unit.Ratio
		if again(t, ratio, &ratioAgain); ratioAgain != ratio {
			t.Errorf("%v was %v", float64(ratioAgain), float64(ratio))
		}
		size := unit.Size(rapid.Uint64Range(0, 1<<53).Draw(t, "size"))
		var sizeAgain unit.Size
		if again(t, size, &sizeAgain); sizeAgain != size {
			t.Errorf("%d was %d", uint64(sizeAgain), uint64(size))
		}
		rate := unit.BitRate(rapid.Uint64Range(1, 1e15-1).Draw(t, "rate"))
		var rateAgain unit.BitRate
		if again(t, rate, &rateAgain); rateAgain != rate {
			t.Errorf("%d was %d", uint64(rateAgain), uint64(rate))
		}
	})
}

// Whatever text is read as a quantity is read again from what is written of it.
func TestWhatIsReadCanBeWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[0-9]{1,7}(\.[0-9]{1,7})?`).Draw(t, "number")
		text := []byte(number + rapid.SampledFrom([]string{"", "%", "bit", "kbit", "mbit", "gbit", "k", "MiB", "G"}).Draw(t, "unit"))
		var ratio, ratioAgain unit.Ratio
		if ratio.UnmarshalText(text) == nil {
			if again(t, ratio, &ratioAgain); ratioAgain != ratio {
				t.Errorf("%s: %v was %v", text, ratioAgain, ratio)
			}
		}
		var size, sizeAgain unit.Size
		if size.UnmarshalText(text) == nil {
			if again(t, size, &sizeAgain); sizeAgain != size {
				t.Errorf("%s: %v was %v", text, sizeAgain, size)
			}
		}
		var rate, rateAgain unit.BitRate
		if rate.UnmarshalText(text) == nil {
			if again(t, rate, &rateAgain); rateAgain != rate {
				t.Errorf("%s: %v was %v", text, rateAgain, rate)
			}
		}
	})
}

// A share in percent is the float of the same share without: 7% is 0.07.
func TestPercent(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 10_000; n++ {
		percent := strconv.FormatFloat(float64(n)/100, 'f', -1, 64) + "%"
		plain := "0." + strconv.Itoa(10_000 + n)[1:]
		if n == 10_000 {
			plain = "1"
		}
		var a, b unit.Ratio
		if err := a.UnmarshalText([]byte(percent)); err != nil {
			t.Fatal(err)
		}
		if err := b.UnmarshalText([]byte(plain)); err != nil {
			t.Fatal(err)
		}
		if a != b || a.String() != percent {
			t.Fatalf("%s is %v, %s is %v, written %s", percent, float64(a), plain, float64(b), a)
		}
	}
}

func TestGreatestUnit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   interface{ String() string }
		want string
	}{
		{unit.Ratio(0), "0%"},
		{unit.Ratio(1), "100%"},
		{unit.Ratio(0.999), "99.9%"},
		{unit.Ratio(0.001), "0.1%"},
		{unit.Ratio(0.00001), "0.001%"},
		{unit.Size(0), "0"},
		{unit.Size(1023), "1023"},
		{unit.Size(1 << 10), "1KiB"},
		{unit.Size(3 << 29), "1536MiB"},
		{unit.Size(1 << 40), "1024GiB"},
		{unit.BitRate(0), "0bit"},
		{unit.BitRate(999), "999bit"},
		{unit.BitRate(1500), "1500bit"},
		{unit.BitRate(1_500_000), "1500kbit"},
		{unit.BitRate(2e9), "2gbit"},
	} {
		if got := c.of.String(); got != c.want {
			t.Errorf("%T: %s, expected %s", c.of, got, c.want)
		}
	}
}
