package scenario_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// long is long ago, for the times of files.
func long() time.Time { return time.Now().Add(-time.Hour).Truncate(time.Second) }

// put writes a file that was changed long ago.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, long(), long())); err != nil {
		t.Fatal(err)
	}
}

// A reading notices every change of what it has read, and nothing else.
func TestAReadingNoticesChanges(t *testing.T) {
	t.Parallel()
	const calendar = "BEGIN:VCALENDAR\nEND:VCALENDAR\n"
	text := withSchedule("{name: a, scenario: s, cron: '@daily', blackout: [{ical: freezes.ics}]}")
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		want   bool
	}{
		"nothing":           {func(*testing.T, string) {}, false},
		"another file":      {func(t *testing.T, dir string) { t.Helper(); put(t, filepath.Join(dir, "notes"), "x") }, false},
		"gameday.yaml":      {func(t *testing.T, dir string) { t.Helper(); put(t, filepath.Join(dir, "gameday.yaml"), text+"\n") }, true},
		"the calendar":      {func(t *testing.T, dir string) { t.Helper(); put(t, filepath.Join(dir, "freezes.ics"), calendar+"\n") }, true},
		"a nearer file":     {func(t *testing.T, dir string) { t.Helper(); put(t, filepath.Join(dir, "sub", "gameday.yaml"), text) }, true},
		"the calendar goes": {func(t *testing.T, dir string) { t.Helper(); remove(t, filepath.Join(dir, "freezes.ics")) }, true},
		"gameday.yaml goes": {func(t *testing.T, dir string) { t.Helper(); remove(t, filepath.Join(dir, "gameday.yaml")) }, true},
		"its time": {func(t *testing.T, dir string) {
			t.Helper()
			touch(t, filepath.Join(dir, "gameday.yaml"), long().Add(time.Minute))
		}, true},
		"of one size, at once": {func(t *testing.T, dir string) {
			t.Helper()
			path := filepath.Join(dir, "gameday.yaml")
			if err := os.WriteFile(path+"2", []byte(strings.Replace(text, "name: a", "name: b", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			touch(t, path+"2", long())
			if err := os.Rename(path+"2", path); err != nil { // as editors do it
				t.Fatal(err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			put(t, filepath.Join(dir, "gameday.yaml"), text)
			put(t, filepath.Join(dir, "freezes.ics"), calendar)
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o750); err != nil {
				t.Fatal(err)
			}
			l := scenario.Library{Dir: filepath.Join(dir, "sub"), Drivers: drivers(), Reading: &scenario.Reading{}}
			all, err := l.Schedules()
			if err != nil || len(all) != 1 || string(all[0].Blackout[0].Calendar) != calendar {
				t.Fatalf("%+v %v", all, err)
			}
			c.change(t, dir)
			for range 2 {
				if got := l.Reading.Changed(); got != c.want {
					t.Errorf("changed: %v, expected %v", got, c.want)
				}
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func touch(t *testing.T, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// A file that was read just after a change may have changed once more within the
// resolution of its time: it is read again until that would show.
func TestAFileThatHasJustChangedIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "gameday.yaml")
	for age, want := range map[time.Duration]bool{0: true, time.Second: true, -time.Second: true, 10 * time.Second: false, -time.Hour: false} {
		put(t, path, "version: 1\nenvironments: {}\n")
		touch(t, path, time.Now().Add(-age))
		l := scenario.Library{Dir: dir, Drivers: drivers(), Reading: &scenario.Reading{}}
		if _, err := l.Schedules(); err != nil {
			t.Fatal(err)
		}
		if got := l.Reading.Changed(); got != want {
			t.Errorf("changed %v before: to be read again %v, expected %v", age, got, want)
		}
	}
}
