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

// Exports are the formats for running a schedule without gameday serve.
func Exports() []string { return []string{"cron", "github-actions", "kubernetes", "systemd"} }

// Exported is the data of a format's template.
type Exported struct {
	scenario.Schedule
	Command  string // the shell command
	Fields   string // cron's five fields
	Calendar string // the same for systemd; empty for @every
	Every    time.Duration
	UTC      []string // the five fields in UTC, one entry for each offset of the zone in a year
	Left     []string // the features that only gameday serve supports
}

// descriptors are cron's abbreviations of five fields.
func descriptors() map[string]string {
	return map[string]string{
		"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
	}
}

// Export writes a schedule in one of [Exports].
func Export(w io.Writer, s scenario.Schedule, to string, now time.Time) error {
	if !slices.Contains(Exports(), to) {
		return fmt.Errorf("found %q, expected one of %s", to, strings.Join(Exports(), ", "))
	}
	run := strings.Join(scenario.Command(s.What(), s.Environment, s.Sweep.Args()), " ")
	e := Exported{Schedule: s, Command: "gameday schedule check " + s.Name + " && " + run, Fields: s.Cron, Left: left(s)}
	if fields, ok := descriptors()[s.Cron]; ok {
		e.Fields = fields
	}
	every, err := scenario.ParseCron(s.Cron)
	if err != nil {
		return fmt.Errorf("schedule %s: %w", s.Name, err)
	}
	if delay, ok := every.(cron.ConstantDelaySchedule); ok {
		if to != "systemd" {
			return fmt.Errorf("schedule %s: %s does not support @every: use five fields, such as */15 * * * *", s.Name, to)
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

// left lists the features of a schedule that only gameday serve supports.
func left(s scenario.Schedule) (all []string) {
	if len(s.OnlyIf) > 0 {
		all = append(all, "only_if")
	}
	if s.Approval != nil {
		all = append(all, "approval")
	}
	return append(all, "holds (gameday hold)", "missed runs")
}

// calendarOf converts cron's fields to the format of systemd.time(7).
func calendarOf(fields, zone string) (string, error) {
	f := strings.Fields(fields)
	minute, hour, day, month, weekday := f[0], f[1], f[2], numbered(f[3]), f[4]
	if free(day) != free(weekday) || free(day) {
		days, err := weekdaysOf(weekday)
		if err != nil {
			return "", err
		}
		return strings.TrimSpace(fmt.Sprintf("%s *-%s-%s %s:%s:00 %s", days, part(month, 1), part(day, 1), part(hour, 0), part(minute, 0), zone)), nil
	}
	return "", fmt.Errorf("%q matches a day of the month or a weekday, which systemd cannot express: split it into two schedules", fields)
}

func free(field string) bool { return field == "*" || field == "?" }

// numbered replaces the names of months by their numbers: systemd has no names for them.
func numbered(months string) string {
	months = strings.ToLower(months)
	for n := time.January; n <= time.December; n++ {
		months = strings.ReplaceAll(months, strings.ToLower(n.String()[:3]), strconv.Itoa(int(n)))
	}
	return months
}

// part converts one numeric field: lists stay, ranges use two dots, and */N starts at
// the smallest value.
func part(field string, least int) string {
	if free(field) {
		return "*"
	}
	if n, err := strconv.Atoi(field); err == nil {
		return fmt.Sprintf("%02d", n)
	}
	var all []string
	for item := range strings.SplitSeq(field, ",") {
		span, step, stepped := strings.Cut(item, "/")
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

// weekdaysOf converts the weekdays to names.
func weekdaysOf(field string) (string, error) {
	if free(field) {
		return "", nil
	}
	var names []string
	for day := time.Sunday; day <= time.Saturday; day++ {
		names = append(names, day.String()[:3])
	}
	var all []string
	for one := range strings.SplitSeq(field, ",") {
		var ends []string
		for end := range strings.SplitSeq(one, "-") {
			n := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, end) })
			if number, err := strconv.Atoi(end); err == nil {
				n = number
			}
			if n < 0 || n >= len(names) {
				return "", fmt.Errorf("found %q for days of the week, expected such as 1-5 or mon,wed", one)
			}
			ends = append(ends, names[n])
		}
		all = append(all, strings.Join(ends, ".."))
	}
	return strings.Join(all, ","), nil
}

// utc converts fields to UTC, once for each offset that the zone has within a year. Only
// one of the offsets is right at a time, so a job that starts at all of them must check
// whether it is due.
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
		return nil, fmt.Errorf("GitHub supports only UTC, and %q in %s cannot be converted because it is not at one fixed hour: set time_zone: UTC", fields, zone)
	}
	var all []string
	for month := range 12 {
		_, offset := now.AddDate(0, month, 0).In(at).Zone()
		if offset%3600 != 0 {
			return nil, fmt.Errorf("GitHub supports only UTC, and %s cannot be converted because its offset is not in whole hours: set time_zone: UTC", zone)
		}
		moved := hour - offset/3600
		if moved < 0 || moved > 23 {
			if !free(f[4]) {
				return nil, fmt.Errorf("GitHub supports only UTC, and %q in %s cannot be converted because it is on another day of the week in UTC: set time_zone: UTC", fields, zone)
			}
			moved = (moved + 24) % 24
		}
		converted := fmt.Sprintf("%s %d %s %s %s", f[0], moved, f[2], f[3], f[4])
		if !slices.Contains(all, converted) {
			all = append(all, converted)
		}
	}
	return all, nil
}

// Named reports whether a time of the cron expression lies within a duration before now.
func Named(s scenario.Schedule, now time.Time, within time.Duration) (bool, error) {
	due, err := Upcoming(s, now.Add(-within), 1)
	return len(due) > 0 && !due[0].At.After(now), err
}
