package schedule_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/schedule"
)

// days expands the days of an example: "1997-09:2-4,9 1998-01:1" is four days.
func days(t *testing.T, text string) (all []string) {
	t.Helper()
	for month := range strings.FieldsSeq(text) {
		month, list, _ := strings.Cut(month, ":")
		for part := range strings.SplitSeq(list, ",") {
			from, to, ranged := strings.Cut(part, "-")
			if !ranged {
				to = from
			}
			first, err := strconv.Atoi(from)
			last, err2 := strconv.Atoi(to)
			if err != nil || err2 != nil {
				t.Fatal(text)
			}
			for d := first; d <= last; d++ {
				all = append(all, fmt.Sprintf("%s-%02d", month, d))
			}
		}
	}
	return all
}

// The examples of RFC 5545, section 3.8.5.3, in its order. All but those with another start
// begin on 2 September 1997 at 9:00 in New York.
func TestExamplesOfRFC5545(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rule, want string }{
		{"RRULE:FREQ=DAILY;COUNT=10", "1997-09:2-11"},
		{"RRULE:FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09:2-30 1997-10:1-31 1997-11:1-30 1997-12:1-23"},
		{"RRULE:FREQ=DAILY;INTERVAL=2", "1997-09:2,4,6,8,10,12,14,16,18,20,22,24,26,28,30 1997-10:2"},
		{"RRULE:FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09:2,12,22 1997-10:2,12"},
		{"19980101 RRULE:FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "1998-01:1-31 1999-01:1-31 2000-01:1-31"},
		{"19980101 RRULE:FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "1998-01:1-31 1999-01:1-31 2000-01:1-31"},
		{"RRULE:FREQ=WEEKLY;COUNT=10", "1997-09:2,9,16,23,30 1997-10:7,14,21,28 1997-11:4"},
		{"RRULE:FREQ=WEEKLY;UNTIL=19971224T000000Z", "1997-09:2,9,16,23,30 1997-10:7,14,21,28 1997-11:4,11,18,25 1997-12:2,9,16,23"},
		{"RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09:2,16,30 1997-10:14,28 1997-11:11,25 1997-12:9,23 1998-01:6,20 1998-02:3,17"},
		{"RRULE:FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH", "1997-09:2,4,9,11,16,18,23,25,30 1997-10:2"},
		{"RRULE:FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "1997-09:2,4,9,11,16,18,23,25,30 1997-10:2"},
		{"19970901 RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR", "1997-09:1,3,5,15,17,19,29 1997-10:1,3,13,15,17,27,29,31 1997-11:10,12,14,24,26,28 1997-12:8,10,12,22"},
		{"RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09:2,4,16,18,30 1997-10:2,14,16"},
		{"19970905 RRULE:FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997-09:5 1997-10:3 1997-11:7 1997-12:5 1998-01:2 1998-02:6 1998-03:6 1998-04:3 1998-05:1 1998-06:5"},
		{"19970905 RRULE:FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "1997-09:5 1997-10:3 1997-11:7 1997-12:5"},
		{"19970907 RRULE:FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "1997-09:7,28 1997-11:2,30 1998-01:4,25 1998-03:1,29 1998-05:3,31"},
		{"19970922 RRULE:FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09:22 1997-10:20 1997-11:17 1997-12:22 1998-01:19 1998-02:16"},
		{"19970928 RRULE:FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09:28 1997-10:29 1997-11:28 1997-12:29 1998-01:29 1998-02:26"},
		{"RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "1997-09:2,15 1997-10:2,15 1997-11:2,15 1997-12:2,15 1998-01:2,15"},
		{"19970930 RRULE:FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "1997-09:30 1997-10:1,31 1997-11:1,30 1997-12:1,31 1998-01:1,31 1998-02:1"},
		{"19970910 RRULE:FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", "1997-09:10-15 1999-03:10-13"},
		{"RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "1997-09:2,9,16,23,30 1997-11:4,11,18,25 1998-01:6,13,20,27 1998-03:3,10,17,24,31"},
		{"19970610 RRULE:FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "1997-06:10 1997-07:10 1998-06:10 1998-07:10 1999-06:10 1999-07:10 2000-06:10 2000-07:10 2001-06:10 2001-07:10"},
		{"19970310 RRULE:FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", "1997-03:10 1999-01:10 1999-02:10 1999-03:10 2001-01:10 2001-02:10 2001-03:10 2003-01:10 2003-02:10 2003-03:10"},
		{"19970101 RRULE:FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "1997-01:1 1997-04:10 1997-07:19 2000-01:1 2000-04:9 2000-07:18 2003-01:1 2003-04:10 2003-07:19 2006-01:1"},
		{"19970519 RRULE:FREQ=YEARLY;BYDAY=20MO", "1997-05:19 1998-05:18 1999-05:17"},
		{"19970512 RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05:12 1998-05:11 1999-05:17"},
		{"19970313 RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03:13,20,27 1998-03:5,12,19,26 1999-03:4,11,18,25"},
		{"19970605 RRULE:FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8", "1997-06:5,12,19,26 1997-07:3,10,17,24,31 1997-08:7,14,21,28 1998-06:4,11,18,25 1998-07:2,9,16,23,30 1998-08:6,13,20,27"},
		{"RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13\nEXDATE;TZID=America/New_York:19970902T090000", "1998-02:13 1998-03:13 1998-11:13 1999-08:13 2000-10:13"},
		{"19970913 RRULE:FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09:13 1997-10:11 1997-11:8 1997-12:13 1998-01:10 1998-02:7 1998-03:7 1998-04:11 1998-05:9 1998-06:13"},
		{"19961105 RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11:5 2000-11:7 2004-11:2"},
		{"19970904 RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09:4 1997-10:7 1997-11:6"},
		{"19970929 RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09:29 1997-10:30 1997-11:27 1997-12:30 1998-01:29 1998-02:26 1998-03:30"},
		{"19970805 RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08:5,10,19,24"},
		{"19970805 RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08:5,17,19,31"},
		{"20070115 RRULE:FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01:15,30 2007-02:15 2007-03:15,30"},
	} {
		start, rule, dated := strings.Cut(c.rule, " ")
		if !dated {
			start, rule = "19970902", c.rule
		}
		all, err := schedule.Blocked(calendar("DTSTART;TZID=America/New_York:"+start+"T090000\nDURATION:PT15M\n"+rule), time.Unix(0, 0), time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC), newYork)
		want := days(t, c.want)
		ends := strings.Contains(rule, "COUNT=") || strings.Contains(rule, "UNTIL=")
		if err != nil || len(all) < len(want) || ends && len(all) > len(want) {
			t.Errorf("%s: %v: found %d, expected %d", c.rule, err, len(all), len(want))
			continue
		}
		for i, d := range want {
			if !strings.HasPrefix(all[i], d+"T09:00:00") {
				t.Errorf("%s: found %v, expected %v", c.rule, all[i], d)
				break
			}
		}
	}
}

// The examples of RFC 5545 that recur within a day.
func TestExamplesOfRFC5545WithinADay(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	const twentyMinutes = "02T09:00 02T09:20 02T09:40 02T10:00 02T10:20 02T10:40 02T11:00 02T11:20 02T11:40 02T12:00 02T12:20 02T12:40 02T13:00 02T13:20 02T13:40 02T14:00 02T14:20 02T14:40 02T15:00 02T15:20 02T15:40 02T16:00 02T16:20 02T16:40 03T09:00"
	for rule, want := range map[string]string{
		"FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z":                      "02T09:00 02T12:00 02T15:00",
		"FREQ=MINUTELY;INTERVAL=15;COUNT=6":                                  "02T09:00 02T09:15 02T09:30 02T09:45 02T10:00 02T10:15",
		"FREQ=MINUTELY;INTERVAL=90;COUNT=4":                                  "02T09:00 02T10:30 02T12:00 02T13:30",
		"FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40;COUNT=25": twentyMinutes,
		"FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16;COUNT=25":   twentyMinutes,
	} {
		all, err := schedule.Blocked(calendar("DTSTART;TZID=America/New_York:19970902T090000\nDURATION:PT5M\nRRULE:"+rule), time.Unix(0, 0), time.Date(1998, 1, 1, 0, 0, 0, 0, time.UTC), newYork)
		for i, s := range all {
			all[i] = s[len("1997-09-"):len("1997-09-02T09:00")]
		}
		if got := strings.Join(all, " "); err != nil || got != want {
			t.Errorf("%s: %s, %v, expected %s", rule, got, err, want)
		}
	}
}
