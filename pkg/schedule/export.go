package schedule

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

//go:embed export
var exports embed.FS

// Exports are what a schedule can be written for, for those who want no daemon.
func Exports() []string { return []string{"cron", "github-actions", "kubernetes", "systemd"} }

// Exported is a schedule as somebody else begins it.
type Exported struct {
	scenario.Schedule
	Command  string // what is run, in one line of a shell
	Fields   string // cron's five
	Calendar string // the same for systemd; empty for every so often
	Every    time.Duration
	UTC      []string // the five fields in UTC, for each offset that the zone has in a year
	Left     []string // what somebody else does not look at
}

// descriptors are cron's words for five fields.
func descriptors() map[string]string {
	return map[string]string{
		"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
	}
}

// Export writes a schedule for one of [Exports].
func Export(w io.Writer, s scenario.Schedule, to string, now time.Time) error {
	if !slices.Contains(Exports(), to) {
		return fmt.Errorf("found %q, expected one of %s", to, strings.Join(Exports(), ", "))
	}
	run := strings.Join(scenario.Command(s.What(), s.Environment, s.Sweep.Args()), " ")
	e := Exported{Schedule: s, Command: "gameday schedule check " + s.Name + " && " + run, Fields: s.Cron, Left: left(s)}
	if fields, ok := descriptors()[s.Cron]; ok {
		e.Fields = fields
	}
	every, err := cron.ParseStandard(s.Cron)
	if err != nil {
		return fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	if delay, ok := every.(cron.ConstantDelaySchedule); ok {
		if to != "systemd" {
			return fmt.Errorf("schedule %s: %s has no @every: write it as five fields, such as */15 * * * *", s.Name, to)
		}
		e.Every = delay.Delay
	} else if e.Calendar, err = calendarOf(e.Fields, s.Zone()); err != nil && to == "systemd" {
		return fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	if to == "github-actions" {
		if e.UTC, err = utc(e.Fields, s.Zone(), now); err != nil {
			return fmt.Errorf("schedule %s: %w", s.Name, err)
		}
	}
	t, err := template.New(to).ParseFS(exports, "export/"+to)
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(w, to, e)
}

// left is what only gameday serve looks at.
func left(s scenario.Schedule) (all []string) {
	if len(s.OnlyIf) > 0 {
		all = append(all, "only_if")
	}
	if s.Approval != nil {
		all = append(all, "approval")
	}
	return append(all, "holds (gameday hold)", "what was missed")
}

// calendarOf writes cron's fields as systemd.time(7) has them.
func calendarOf(fields, zone string) (string, error) {
	f := strings.Fields(fields)
	minute, hour, day, month, weekday := f[0], f[1], f[2], f[3], f[4]
	if free(day) != free(weekday) || free(day) {
		days, err := weekdaysOf(weekday)
		if err != nil {
			return "", err
		}
		return strings.TrimSpace(fmt.Sprintf("%s *-%s-%s %s:%s:00 %s", days, part(month, 1), part(day, 1), part(hour, 0), part(minute, 0), zone)), nil
	}
	return "", fmt.Errorf("cron takes %q for either of day and weekday, which systemd has no word for: make it two schedules", fields)
}

func free(field string) bool { return field == "*" || field == "?" }

// part writes one field of numbers: lists stay, ranges get two dots, and steps of all
// begin at the least.
func part(field string, least int) string {
	if free(field) {
		return "*"
	}
	if n, err := strconv.Atoi(field); err == nil {
		return fmt.Sprintf("%02d", n)
	}
	var all []string
	for one := range strings.SplitSeq(field, ",") {
		span, step, stepped := strings.Cut(one, "/")
		if free(span) && stepped {
			span = strconv.Itoa(least)
		}
		span = strings.Replace(span, "-", "..", 1)
		if stepped {
			span += "/" + step
		}
		all = append(all, span)
	}
	return strings.Join(all, ",")
}

// weekdaysOf writes days of the week by their names.
func weekdaysOf(field string) (string, error) {
	if free(field) {
		return "", nil
	}
	names := []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	var all []string
	for one := range strings.SplitSeq(field, ",") {
		from, to, spans := strings.Cut(one, "-")
		var ends []string
		for _, end := range []string{from, to} {
			if n, err := strconv.Atoi(end); err == nil && n >= 0 && n < len(names) {
				end = names[n]
			} else if len(end) != len("mon") && (spans || end != "") {
				return "", fmt.Errorf("found %q for days of the week, expected such as 1-5 or mon,wed", one)
			}
			ends = append(ends, strings.ToUpper(end[:min(1, len(end))])+strings.ToLower(end[min(1, len(end)):]))
		}
		if spans {
			all = append(all, ends[0]+".."+ends[1])
			continue
		}
		all = append(all, ends[0])
	}
	return strings.Join(all, ","), nil
}

// utc writes fields in UTC, once for each offset that the zone has within a year. Whoever
// begins at all of them has to look whether it is a moment of the schedule.
func utc(fields, zone string, now time.Time) ([]string, error) {
	if zone == "UTC" {
		return []string{fields}, nil
	}
	at, err := time.LoadLocation(zone)
	if err != nil {
		return nil, err
	}
	f := strings.Fields(fields)
	hour, err := strconv.Atoi(f[1])
	if err != nil || !free(f[2]) || !free(f[3]) {
		return nil, fmt.Errorf("GitHub knows UTC only, and %q in %s is not at one hour of some days of the week: give it in UTC", fields, zone)
	}
	var all []string
	for month := range 12 {
		_, offset := now.AddDate(0, month, 0).In(at).Zone()
		if offset%3600 != 0 {
			return nil, fmt.Errorf("GitHub knows UTC only, and %s is not by whole hours off: give it in UTC", zone)
		}
		moved := hour - offset/3600
		if moved < 0 || moved > 23 {
			if !free(f[4]) {
				return nil, fmt.Errorf("GitHub knows UTC only, and in UTC %q in %s is on another day of the week: give it in UTC", fields, zone)
			}
			moved = (moved + 24) % 24
		}
		one := fmt.Sprintf("%s %d %s %s %s", f[0], moved, f[2], f[3], f[4])
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all, nil
}

// Named tells whether cron has named a moment within so long before now.
func Named(s scenario.Schedule, now time.Time, within time.Duration) (bool, error) {
	due, err := Upcoming(s, now.Add(-within), 1)
	return len(due) > 0 && !due[0].At.After(now), err
}
