package unit_test

import (
	"encoding"
	"testing"

	"github.com/gameday-dev/gameday/internal/unit"
)

func TestWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	type quantity interface {
		encoding.TextUnmarshaler
		String() string
	}
	for _, c := range []struct {
		of   quantity
		text string
		want string // "" if the text is invalid
	}{
		{new(unit.Ratio), "99%", "99%"},
		{new(unit.Ratio), "0.5", "50%"},
		{new(unit.Ratio), "0", ""},
		{new(unit.Ratio), "101%", ""},
		{new(unit.Ratio), "NaN", ""},
		{new(unit.Size), "64MiB", "64MiB"},
		{new(unit.Size), "512k", "512KiB"},
		{new(unit.Size), "1000", "1000"},
		{new(unit.Size), "-1", ""},
		{new(unit.Size), "much", ""},
		{new(unit.BitRate), "10mbit", "10mbit"},
		{new(unit.BitRate), "0.5gbit", "500mbit"},
		{new(unit.BitRate), "10", ""},
		{new(unit.BitRate), "0kbit", ""},
		{new(unit.BitRate), "NaNbit", ""},
	} {
		err := c.of.UnmarshalText([]byte(c.text))
		if (err == nil) != (c.want != "") || err == nil && c.of.String() != c.want {
			t.Errorf("%T %q: %s, %v; expected %q", c.of, c.text, c.of, err, c.want)
		}
	}
}
