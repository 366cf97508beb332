package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
)

// What others say is one line of a log, and acts on no terminal (M8).
func TestLinesOfForeignTexts(t *testing.T) {
	t.Parallel()
	const text = "a\x1b[2J\nb\u202e"
	event := record.Event{At: time.Now(), Kind: record.KindEngine, Component: text, What: text}
	for name, line := range map[string]string{
		"text": Line(run.Update{Text: text}), "event": Line(run.Update{Event: &event}), "on a terminal": EventLine(event),
	} {
		if strings.ContainsAny(line, "\x1b\n\u202e") || !strings.Contains(line, `a\x1b[2J\nb\u202e`) {
			t.Errorf("%s: %q", name, line)
		}
	}
}

// What a run tells is without secrets, also without those that redact: names, and the
// event that goes to the record is not changed (M5).
func TestUpdatesHoldNoSecrets(t *testing.T) {
	t.Parallel()
	secrets, err := redact.New("MY-[0-9]+")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	observe := withoutSecrets(func(u run.Update) {
		got = append(got, u.Text)
		if u.Event != nil {
			got = append(got, u.Event.What, u.Event.Component)
		}
	}, secrets)
	event := record.Event{What: "password=s3cret", Component: "db-MY-17"}
	observe(run.Update{Text: "start MY-17 token=s3cret"})
	observe(run.Update{Event: &event})
	if want := "[start REDACTED token=REDACTED  password=REDACTED db-REDACTED]"; fmt.Sprint(got) != want || event.Component != "db-MY-17" {
		t.Errorf("%v, expected %s; %+v", got, want, event)
	}
	if err := secrets.Error(fmt.Errorf("%w: MY-17", run.ErrNotPutBack)); !errors.Is(err, run.ErrNotPutBack) || strings.Contains(err.Error(), "MY-17") {
		t.Error(err)
	}
}
