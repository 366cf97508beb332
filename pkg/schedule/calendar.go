package schedule

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apognu/gocal"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// span is an event of a calendar.
type span struct {
	from, to time.Time
	why      string
}

// spansOf are the events of a blackout's calendar between two times. The parser may
// panic on what it does not expect: that is an error of the calendar.
func spansOf(b scenario.Blackout, from, to time.Time, zone *time.Location) (spans []span, err error) {
	defer func() {
		if p := recover(); p != nil {
			spans, err = nil, fmt.Errorf("the parser panicked: %v", p)
		}
	}()
	if err := checkRules(b.Calendar); err != nil {
		return nil, err
	}
	events := gocal.NewParser(bytes.NewReader(b.Calendar))
	events.Start, events.End, events.AllDayEventsTZ = &from, &to, zone
	if err := events.Parse(); err != nil {
		return nil, err
	}
	for _, e := range events.Events {
		if e.Start != nil && e.End != nil {
			spans = append(spans, span{*e.Start, *e.End, cmp.Or(e.Summary, b.Why)})
		}
	}
	return spans, nil
}

// The bounds of what recurs, and of a line: the parser ignores what follows a longer one.
const (
	maxTimes = 10_000
	maxLine  = bufio.MaxScanTokenSize - 2
)

// checkRules refuses what the parser would read for ever, or in part: it expands an event
// until COUNT is reached, even if no moment counts.
func checkRules(calendar []byte) error {
	for n, line := range bytes.Split(calendar, []byte("\n")) {
		if len(line) > maxLine {
			return fmt.Errorf("found %d bytes in line %d, expected up to %d: remove its attachments", len(line), n+1, maxLine)
		}
	}
	// Folded lines continue on a line that begins with a space.
	unfolded := strings.NewReplacer("\r\n ", "", "\n ", "").Replace(string(calendar))
	var rules []map[string]string
	month := 0 // in which the event begins
	for line := range strings.Lines(unfolded) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		name, _, _ = strings.Cut(name, ";")
		switch {
		case name == "DTSTART" && len(value) >= len("200601"):
			month, _ = strconv.Atoi(value[4:6]) // 0 is in no rule
		case name == "RRULE":
			rules = append(rules, parts(value))
		case name == "END" && value == "VEVENT":
			for _, rule := range rules {
				if err := checkRule(rule, month); err != nil {
					return err
				}
			}
			rules, month = nil, 0
		}
	}
	return nil
}

// parts are the settings of a rule, as the parser reads them: the last of a key counts.
func parts(rule string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(rule, ";") {
		key, value, _ := strings.Cut(part, "=")
		all[key] = value
	}
	return all
}

// checkRule checks that the recurrences of a rule come to an end.
func checkRule(rule map[string]string, month int) error {
	for _, key := range []string{"INTERVAL", "COUNT"} {
		if n, err := strconv.Atoi(rule[key]); rule[key] != "" && (err != nil || n < 1 || n > maxTimes) {
			return fmt.Errorf("found RRULE with %s=%s, expected 1 to %d", key, rule[key], maxTimes)
		}
	}
	if rule["COUNT"] == "" {
		return nil // it ends with the span that is asked for
	}
	if days, ok := rule["BYDAY"]; ok && !slices.ContainsFunc([]string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}, func(day string) bool { return strings.Contains(days, day) }) {
		return fmt.Errorf("found RRULE with BYDAY=%s, expected days such as MO,TU", days)
	}
	by, err := strconv.Atoi(rule["BYMONTH"])
	if err != nil {
		return nil //nolint:nilerr // the parser ignores it too
	}
	step := 1 // days and weeks come to every month
	switch interval := cmp.Or(number(rule["INTERVAL"]), 1); rule["FREQ"] {
	case "YEARLY":
		step = 12
	case "MONTHLY":
		step = interval
	}
	for range 12 {
		if strings.Contains(strconv.Itoa(by), strconv.Itoa(month)) {
			return nil
		}
		month = (month+step-1)%12 + 1
	}
	return fmt.Errorf("found RRULE with BYMONTH=%d and COUNT, expected a month in which the event recurs, or UNTIL instead of COUNT", by)
}

// number is 0 if the text is none.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
