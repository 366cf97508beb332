package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// bomb is a kilobyte of YAML whose value has 10 to the power of 9 strings.
func bomb() string {
	levels := []string{"&a0 [" + strings.Repeat("x,", 9) + "x]"}
	for i := range 8 {
		below := fmt.Sprintf("*a%d", i)
		levels = append(levels, fmt.Sprintf("&a%d [%s%s]", i+1, strings.Repeat(below+",", 9), below))
	}
	return "a: {v: [" + strings.Join(levels, ", ") + "]}"
}

// Aliases of aliases, and one within itself, are refused before they are expanded (M12).
func TestAliasesAreNotExpanded(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	for name, text := range map[string]string{"bomb": bomb(), "itself": "a: &a {v: *a}"} {
		boundedtest.Allocates(t, 4<<20, func() {
			got, problems := places(t, text)
			if got.A != nil || len(problems) == 0 || !strings.Contains(problems[0], "found an anchor or alias (not supported), expected the value itself") {
				t.Errorf("%s: found %v, %q", name, got.A, problems)
			}
		})
	}
}

// A file with ten thousand mistakes gives an error that a person can read.
func TestTheTextOfManyProblemsIsBounded(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	var text strings.Builder
	for i := range 9_999 {
		fmt.Fprintf(&text, "key%d: 1,\n", i)
	}
	boundedtest.Allocates(t, 128<<20, func() {
		_, problems := places(t, "{"+text.String()+"}")
		if len(problems) != 21 || problems[20] != "and 9979 more" || !strings.HasPrefix(problems[19], "f:20:1: unknown key") {
			t.Errorf("%d lines: %q", len(problems), problems[max(len(problems)-2, 0):])
		}
	})
	// After the first ten thousand, the rest is not checked.
	boundedtest.Allocates(t, 128<<20, func() {
		_, problems := places(t, "l: ["+strings.Repeat("x,", 50_000)+"x]")
		if len(problems) != 21 || problems[20] != "and at least 9980 more" {
			t.Errorf("%d lines: %q", len(problems), problems[max(len(problems)-2, 0):])
		}
	})
}

// A problem quotes the start of a long value, key or path, and then still says what was
// expected.
func TestALongValueIsShortened(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100_000)
	for text, want := range map[string]string{
		"b: " + long:           "true or false",
		long + ": 1":           "expected one of s, b, i",
		"m: {" + long + ": x}": "a whole number",
		"s: [" + long + "]":    "found a list",
	} {
		_, problems := places(t, text)
		if len(problems) == 0 || len(problems[0]) > 1100 || !strings.Contains(problems[0], want) {
			t.Errorf("%.20q: found %.1200q, expected it to contain %q", text, problems, want)
		}
	}
}

// Durations are so short that no sum of them overflows, and numbers are finite (L7).
func TestNumbersAreBounded(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"d: 720h":      "",
		"d: -720h":     "",
		"d: 2562047h":  `f:1:4: d: found 2562047h, expected at most 720h (30 days)`,
		"d: -720h1ns":  `f:1:4: d: found -720h1ns, expected at most 720h (30 days)`,
		"d: 9e18h":     `f:1:4: d: found "9e18h", expected a duration`,
		"f: NaN":       `f:1:4: f: found "NaN", expected a number`,
		"f: Inf":       `f:1:4: f: found "Inf", expected a number`,
		"f: -Infinity": `f:1:4: f: found "-Infinity", expected a number`,
		"f: .inf":      `f:1:4: f: found ".inf", expected a number`,
		"f: 1e999":     `f:1:4: f: found "1e999", expected a number`,
		"f: 1e308":     "",
	} {
		_, problems := places(t, text)
		if got := strings.Join(problems, "\n"); want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: found %q, expected %q", text, got, want)
		}
	}
	d := strictyaml.Parse("f", []byte("d: 8000h"))
	d.MaxDuration = 9000 * time.Hour
	var e every
	if d.Decode(&e); len(d.Problems) > 0 || e.D != 8000*time.Hour {
		t.Errorf("found %v, %v", e.D, d.Problems)
	}
}

// What is too large to be a file of a person is not parsed.
func TestALargeFileIsRefused(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	data := []byte("s: " + strings.Repeat("x", strictyaml.MaxSize))
	boundedtest.Allocates(t, 1<<20, func() {
		d := strictyaml.Parse("f", data)
		if err := d.Problems.Err(); err == nil || err.Error() != "f:1:1: found 1048579 bytes, expected at most 1048576" {
			t.Errorf("%v", err)
		}
	})
}

// Files for which the parser would take minutes and gigabytes are refused before it sees
// them.
func TestWhatTheParserCannotTakeIsRefused(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	for name, c := range map[string]struct{ text, want string }{
		"words":           {"l: [" + strings.Repeat("1,", 300_000) + "1]", "found more than 200000 words and signs"},
		"keys":            {strings.Repeat("k:\n", 100_000), "found more than 10000 keys"},
		"documents":       {strings.Repeat("---\n", 100_000), "found more than 100 documents"},
		"deep lists":      {"l: " + strings.Repeat("[", 400_000), "more than 1000 deep"},
		"deep mappings":   {"a: " + strings.Repeat("{a: ", 100_000), "more than 1000 deep"},
		"lists in a line": {strings.Repeat("- ", 400_000) + "x", "more than 1000 deep"},
		"keys in a line":  {strings.Repeat("? ", 400_000) + "x", "more than 1000 deep"},
	} {
		boundedtest.Allocates(t, 400<<20, func() {
			if _, problems := places(t, c.text); len(problems) != 1 || !strings.Contains(problems[0], c.want) {
				t.Errorf("%s: found %.200q, expected %q", name, problems, c.want)
			}
		})
		d := strictyaml.Parse("f", []byte("a: 1"))
		if err := d.Set("b", c.text); err == nil || len(err.Error()) > 200 {
			t.Errorf("%s: set: %.200v", name, err)
		}
	}
}
