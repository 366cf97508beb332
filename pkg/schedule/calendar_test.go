package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
)

// calendar is a calendar of events, or of other components, one property a line.
func calendar(components ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\n")
	for _, c := range components {
		if !strings.HasPrefix(c, "BEGIN:") {
			c = "BEGIN:VEVENT\n" + c + "\nEND:VEVENT"
		}
		b.WriteString(c + "\n")
	}
	b.WriteString("END:VCALENDAR\n")
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}

// blocked is where a calendar blocks, in a short form, in Berlin, over the next two years.
func blocked(t *testing.T, text string) string {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	all, err := schedule.Blocked(text, from(), from().AddDate(2, 0, 0), berlin)
	if err != nil {
		t.Error(err)
	}
	for i, s := range all {
		s = strings.NewReplacer("/20", "/", ":00+01:00", "+1", ":00+02:00", "+2").Replace(s)
		all[i] = s[2:]
	}
	return strings.Join(all, " ")
}

const (
	hour  = "DTSTART:20261201T100000Z\nDTEND:20261201T110000Z\n"
	first = "26-12-01T11:00+1/26-12-01T12:00+1"
)

func TestWhereACalendarBlocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ calendar, want string }{
		"an hour":                     {calendar(hour + "SUMMARY:x"), first},
		"nothing":                     {calendar(), ""},
		"two calendars, one file":     {calendar(hour) + calendar("DTSTART:20261202T100000Z\nDURATION:PT1H"), first + " 26-12-02T11:00+1/26-12-02T12:00+1"},
		"a byte order mark":           {"\ufeff" + calendar(hour), first},
		"line feeds, small letters":   {strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(calendar(hour), "\r", "")), "z\n", "Z\n"), first},
		"an alarm of its own":         {calendar(hour + "BEGIN:VALARM\nTRIGGER:-PT1H\nDURATION:P9D\nEND:VALARM"), first},
		"tasks are no events":         {calendar("BEGIN:VTODO\n" + hour + "END:VTODO"), ""},
		"lines that were not folded":  {calendar(hour + "DESCRIPTION:a\nb without a colon\n\nc"), first},
		"a quoted colon":              {calendar("DTSTART;X-A=\"a:b;c\";TZID=\"Europe/Berlin\":20261201T110000\nDURATION:PT1H"), first},
		"folded in the middle":        {calendar("DTST\n ART;TZID=Europe/Be\n\trlin:202612\n 01T110000\nDURA\n TION:PT1H"), first},
		"floating time":               {calendar("DTSTART:20261201T110000\nDTEND:20261201T120000"), first},
		"a whole day":                 {calendar("DTSTART;VALUE=DATE:20261224"), "26-12-24T00:00+1/26-12-25T00:00+1"},
		"a whole day, end repeated":   {calendar("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224"), "26-12-24T00:00+1/26-12-25T00:00+1"},
		"days over New Year":          {calendar("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20270107"), "26-12-24T00:00+1/27-01-07T00:00+1"},
		"a day without VALUE":         {calendar("DTSTART:20261224\nDURATION:P2D"), "26-12-24T00:00+1/26-12-26T00:00+1"},
		"a week and an hour":          {calendar("DTSTART:20261224T230000Z\nDURATION:P1WT1H"), "26-12-25T00:00+1/27-01-01T01:00+1"},
		"days of 25 hours":            {calendar("DTSTART;VALUE=DATE:20271031\nDURATION:P1D"), "27-10-31T00:00+2/27-11-01T00:00+1"},
		"shown as free":               {calendar(hour + "TRANSP:TRANSPARENT"), first},
		"tentative":                   {calendar(hour + "STATUS:TENTATIVE"), first},
		"cancelled":                   {calendar(hour + "STATUS:CANCELLED"), ""},
		"free/busy":                   {calendar("BEGIN:VFREEBUSY\nFREEBUSY:20261201T100000Z/PT30M,20261201T103000Z/20261201T110000Z\nFREEBUSY;FBTYPE=FREE:20261202T100000Z/PT1H\nEND:VFREEBUSY"), "26-12-01T11:00+1/26-12-01T11:30+1 26-12-01T11:30+1/26-12-01T12:00+1"},
		"one cut by another":          {calendar(hour, "DTSTART:20261201T103000Z\nDURATION:PT1H"), first + " 26-12-01T12:00+1/26-12-01T12:30+1"},
		"an hour of no length":        {calendar("DTSTART:20261201T100000Z"), "26-12-01T11:00+1/26-12-01T11:00+1"},
		"began long ago":              {calendar("DTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20261202"), "20-01-01T00:00+1/26-12-02T00:00+1"},
		"its end in another zone":     {calendar("DTSTART;TZID=Europe/Berlin:20261201T110000\nDTEND;TZID=America/New_York:20261201T060000"), first},
		"a day in a zone that is odd": {calendar("DTSTART;VALUE=DATE;TZID=America/New_York:20261224"), "26-12-24T00:00+1/26-12-25T00:00+1"},
	} {
		if got := blocked(t, c.calendar); got != c.want {
			t.Errorf("%s:\n%s, expected\n%s", name, got, c.want)
		}
	}
}

func TestInstances(t *testing.T) {
	t.Parallel()
	weekly := hour + "UID:1\nRRULE:FREQ=WEEKLY;COUNT=3\n"
	second, third := "26-12-08T11:00+1/26-12-08T12:00+1", "26-12-15T11:00+1/26-12-15T12:00+1"
	for name, c := range map[string]struct{ calendar, want string }{
		"all":                          {calendar(weekly), first + " " + second + " " + third},
		"EXDATE":                       {calendar(weekly + "EXDATE:20261208T100000Z"), first + " " + third},
		"EXDATE in a zone":             {calendar(weekly + "EXDATE;TZID=America/New_York:20261208T050000,20261215T050000"), first},
		"EXDATE of a day":              {calendar(weekly + "EXDATE;VALUE=DATE:20261208"), first + " " + third},
		"EXDATE that is none":          {calendar(weekly + "EXDATE:20261208T103000Z"), first + " " + second + " " + third},
		"EXDATE of the first":          {calendar(weekly + "EXDATE:20261201T100000Z"), second + " " + third},
		"EXDATE of whole days":         {calendar("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE;VALUE=DATE:20261224"), "26-12-25T00:00+1/26-12-26T00:00+1"},
		"RDATE":                        {calendar(hour + "RDATE:20261208T100000Z,20261215T100000Z"), first + " " + second + " " + third},
		"RDATE in a zone":              {calendar(hour + "RDATE;TZID=Europe/Berlin:20261208T110000"), first + " " + second},
		"RDATE of a period":            {calendar(hour + "RDATE;VALUE=PERIOD:20261208T100000Z/PT1H,20261215T100000Z/20261215T110000Z"), first + " " + second + " " + third},
		"RDATE of a day":               {calendar("DTSTART;VALUE=DATE:20261224\nRDATE;VALUE=DATE:20261226"), "26-12-24T00:00+1/26-12-25T00:00+1 26-12-26T00:00+1/26-12-27T00:00+1"},
		"one is moved":                 {calendar(weekly, "UID:1\nRECURRENCE-ID:20261208T100000Z\nDTSTART:20261209T100000Z\nDURATION:PT1H"), first + " 26-12-09T11:00+1/26-12-09T12:00+1 " + third},
		"one is moved, told before":    {calendar("UID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20261208T110000\nDTSTART:20261209T100000Z\nDURATION:PT1H", weekly), first + " 26-12-09T11:00+1/26-12-09T12:00+1 " + third},
		"one is cancelled":             {calendar(weekly, "UID:1\nRECURRENCE-ID:20261208T100000Z\n"+hour+"STATUS:CANCELLED"), first + " " + third},
		"one of another is cancelled":  {calendar(weekly, "UID:2\nRECURRENCE-ID:20261208T100000Z\n"+hour+"STATUS:CANCELLED"), first + " " + second + " " + third},
		"all but one are cancelled":    {calendar(weekly+"STATUS:CANCELLED", "UID:1\nRECURRENCE-ID:20261208T100000Z\nDTSTART:20261208T100000Z\nDURATION:PT1H"), second},
		"a whole day is cancelled":     {calendar("UID:1\nDTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;COUNT=2", "UID:1\nRECURRENCE-ID;VALUE=DATE:20261224\nDTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED"), "26-12-25T00:00+1/26-12-26T00:00+1"},
		"two rules":                    {calendar(hour + "RRULE:FREQ=WEEKLY;COUNT=2\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2"), first + " " + second + " " + third},
		"the first off the rule":       {calendar(hour + "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=1"), first + " 26-12-02T11:00+1/26-12-02T12:00+1"},
		"UNTIL a time":                 {calendar(hour + "RRULE:FREQ=WEEKLY;UNTIL=20261208T100000Z"), first + " " + second},
		"UNTIL just before":            {calendar(hour + "RRULE:FREQ=WEEKLY;UNTIL=20261208T095959Z"), first},
		"UNTIL a day":                  {calendar(hour + "RRULE:FREQ=WEEKLY;UNTIL=20261208"), first + " " + second},
		"UNTIL, in another zone":       {calendar("DTSTART;TZID=America/New_York:20261201T220000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261203T030000Z"), "26-12-02T04:00+1/26-12-02T05:00+1 26-12-03T04:00+1/26-12-03T05:00+1"},
		"whole days UNTIL a time":      {calendar("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;UNTIL=20261224T230000Z"), "26-12-24T00:00+1/26-12-25T00:00+1 26-12-25T00:00+1/26-12-26T00:00+1"},
		"whole days, hours of no use":  {calendar("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;BYHOUR=9;BYMINUTE=30;COUNT=1"), "26-12-24T00:00+1/26-12-25T00:00+1"},
		"second Fridays":               {calendar("DTSTART:20260109T100000Z\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=2FR;UNTIL=20270210T000000Z"), "26-12-11T11:00+1/26-12-11T12:00+1 27-01-08T11:00+1/27-01-08T12:00+1"},
		"numbered and plain days":      {calendar("DTSTART;VALUE=DATE:20270201\nRRULE:FREQ=MONTHLY;BYDAY=MO,-1FR;UNTIL=20270228"), "27-02-01T00:00+1/27-02-02T00:00+1 27-02-08T00:00+1/27-02-09T00:00+1 27-02-15T00:00+1/27-02-16T00:00+1 27-02-22T00:00+1/27-02-23T00:00+1 27-02-26T00:00+1/27-02-27T00:00+1"},
		"in a skipped hour":            {calendar("DTSTART;TZID=Europe/Berlin:20270328T023000\nDURATION:PT1H"), "27-03-28T03:30+2/27-03-28T04:30+2"},
		"in a skipped hour, New York":  {calendar("DTSTART;TZID=America/New_York:20270314T023000\nDURATION:PT1H"), "27-03-14T08:30+1/27-03-14T09:30+1"},
		"a night, clocks set forward":  {calendar("DTSTART;TZID=Europe/Berlin:20270320T220000\nDTEND;TZID=Europe/Berlin:20270321T060000\nRRULE:FREQ=WEEKLY;COUNT=2"), "27-03-20T22:00+1/27-03-21T06:00+1 27-03-27T22:00+1/27-03-28T07:00+2"},
		"a night, clocks set back":     {calendar("DTSTART;TZID=Europe/Berlin:20271023T220000\nDTEND;TZID=Europe/Berlin:20271024T060000\nRRULE:FREQ=WEEKLY;COUNT=2"), "27-10-23T22:00+2/27-10-24T06:00+2 27-10-30T22:00+2/27-10-31T06:00+1"},
		"each hour, one of them twice": {calendar("DTSTART;TZID=Europe/Berlin:20271031T010000\nDURATION:PT1H\nRRULE:FREQ=HOURLY;COUNT=3"), "27-10-31T01:00+2/27-10-31T02:00+2 27-10-31T02:00+2/27-10-31T02:00+1 27-10-31T02:00+1/27-10-31T03:00+1 27-10-31T03:00+1/27-10-31T04:00+1"},
	} {
		if got := blocked(t, c.calendar); got != c.want {
			t.Errorf("%s:\n%s, expected\n%s", name, got, c.want)
		}
	}
}

const outlook = `BEGIN:VTIMEZONE
TZID:%s
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE`

// Times in the zones of other programs are where these programs show them; never in UTC.
func TestZonesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	summer := "DURATION:PT1H\nDTSTART;TZID=%s:20270701T110000"
	for name, c := range map[string]struct{ calendar, want string }{
		"of Windows, Berlin":      {calendar(fmt.Sprintf(summer, "W. Europe Standard Time")), "27-07-01T11:00+2/27-07-01T12:00+2"},
		"of Windows, New York":    {calendar(fmt.Sprintf(summer, "Eastern Standard Time")), "27-07-01T17:00+2/27-07-01T18:00+2"},
		"of Windows, small":       {calendar(fmt.Sprintf(summer, "gmt standard time")), "27-07-01T12:00+2/27-07-01T13:00+2"},
		"of Windows, Kolkata":     {calendar(fmt.Sprintf(summer, "India Standard Time")), "27-07-01T07:30+2/27-07-01T08:30+2"},
		"of Windows, UTC":         {calendar(fmt.Sprintf(summer, "UTC")), "27-07-01T13:00+2/27-07-01T14:00+2"},
		"defined, as Outlook":     {calendar(fmt.Sprintf(outlook, "(UTC+01:00) Amsterdam, Berlin"), fmt.Sprintf(summer, `"(UTC+01:00) Amsterdam, Berlin"`)), "27-07-01T11:00+2/27-07-01T12:00+2"},
		"defined, in winter":      {calendar(fmt.Sprintf(outlook, "Ours"), "DURATION:PT1H\nDTSTART;TZID=Ours:20261201T110000"), first},
		"defined, over a change":  {calendar(fmt.Sprintf(outlook, "Ours"), "DURATION:PT1H\nDTSTART;TZID=Ours:20271030T110000\nRRULE:FREQ=DAILY;COUNT=2"), "27-10-30T11:00+2/27-10-30T12:00+2 27-10-31T11:00+1/27-10-31T12:00+1"},
		"defined after its event": {calendar(fmt.Sprintf(summer, "Ours"), fmt.Sprintf(outlook, "Ours")), "27-07-01T11:00+2/27-07-01T12:00+2"},
		"defined, always equal":   {calendar("BEGIN:VTIMEZONE\nTZID:/x/IST\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE", fmt.Sprintf(summer, "/x/IST")), "27-07-01T07:30+2/27-07-01T08:30+2"},
		"defined by dates":        {calendar("BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:20261101T020000\nRDATE:20271107T020000\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:20270314T020000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nEND:DAYLIGHT\nEND:VTIMEZONE", fmt.Sprintf(summer, "X"), "DURATION:PT1H\nDTSTART;TZID=X:20271201T110000"), "27-07-01T17:00+2/27-07-01T18:00+2 27-12-01T17:00+1/27-12-01T18:00+1"},
		"defined until a year":    {calendar("BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:20001029T030000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20261025T010000Z\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:20000326T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20260329T010000Z\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT\nEND:VTIMEZONE", fmt.Sprintf(summer, "X")), "27-07-01T12:00+2/27-07-01T13:00+2"},
		"the tz database first":   {calendar("BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE", fmt.Sprintf(summer, "Europe/Berlin")), "27-07-01T11:00+2/27-07-01T12:00+2"},
	} {
		if got := blocked(t, c.calendar); got != c.want {
			t.Errorf("%s:\n%s, expected\n%s", name, got, c.want)
		}
	}
}

// A calendar that cannot be read in full is refused, with the line: no blackout may be
// missing.
func TestCalendarsThatAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"<html>login</html>":                     "found no BEGIN:VCALENDAR",
		"":                                       "found no BEGIN:VCALENDAR",
		"BEGIN:VEVENT\n" + hour + "END:VEVENT":   "line 1: found VEVENT, expected VCALENDAR",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + hour: "the file ends within VEVENT, which begins in line 2: it is cut off",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR":                                       "line 3: END: found VCALENDAR, expected the end of VEVENT",
		"BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR":                                      "expected the end of no component",
		calendar("BEGIN:VCALENDAR\nEND:VCALENDAR"):                                           "found a calendar within another one",
		strings.Repeat("BEGIN:A\n", 1_000_000):                                               "nested more than 8 deep",
		calendar("SUMMARY:no start"):                                                         `line 3: DTSTART: found "", expected a day such as 20261224`,
		calendar("DTSTART:soon"):                                                             `line 4: DTSTART: found "SOON"`,
		calendar("DTSTART;VALUE=DATE:20261224T100000"):                                       `line 4: DTSTART: found "20261224T100000"`,
		calendar("DTSTART 20261224"):                                                         "",
		calendar("DTSTART;20261224"):                                                         "line 4: DTSTART: expected a colon and a value",
		calendar("DTSTART;X:20261224"):                                                       `line 4: DTSTART: found the parameter "X", expected NAME=VALUE`,
		calendar("DTSTART;TZID=Mars/Olympus:20261224T100000"):                                `line 4: DTSTART: found the time zone "Mars/Olympus", expected one of the tz database, such as Europe/Berlin, one of Windows`,
		calendar("DTSTART;TZID=Local:20261224T100000"):                                       `found the time zone "Local"`,
		calendar("DTSTART;TZID=:20261224T100000"):                                            `found the time zone ""`,
		calendar(hour + "EXDATE;TZID=X:20261224T100000"):                                     `EXDATE: found the time zone "X"`,
		calendar("BEGIN:VTIMEZONE\nTZID:X\nEND:VTIMEZONE", "DTSTART;TZID=X:20261224T100000"): `the time zone "X": expected STANDARD or DAYLIGHT`,
		calendar("BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:1\nEND:STANDARD\nEND:VTIMEZONE", "DTSTART;TZID=X:20261224T100000"): `TZOFFSETFROM: found "1", expected an offset such as +0100`,
		calendar("DTSTART:20261201T100000Z\nDTEND:20261201T090000Z"):      `line 5: DTEND: found "20261201T090000Z", which is before DTSTART`,
		calendar("DTSTART:20261201T100000Z\nDURATION:1H"):                 `DURATION: found "1H", expected a duration such as P1D`,
		calendar("DTSTART:20261201T100000Z\nDURATION:-PT1H"):              `DURATION: found "-PT1H"`,
		calendar(hour + "RDATE;VALUE=PERIOD:20261201T100000Z"):            `RDATE: found ""`,
		calendar(hour + "RECURRENCE-ID;RANGE=THISANDFUTURE:20261201"):     "found RANGE=THISANDFUTURE, expected single instances",
		calendar(hour + "RECURRENCE-ID:20261201\nRRULE:FREQ=DAILY"):       "found it in a single instance",
		calendar(hour + "RRULE:FREQ=DAILY;INTERVAL=0"):                    "line 6: RRULE: found INTERVAL=0, expected 1 to",
		calendar(hour + "RRULE:FREQ=DAILY;INTERVAL=-1"):                   "INTERVAL=-1",
		calendar(hour + "RRULE:FREQ=DAILY;INTER\n VAL=0"):                 "INTERVAL=0",
		calendar(hour + "RRULE:FREQ=WEEKLY;INTERVAL=9223372036854775807"): "expected 1 to",
		calendar(hour + "RRULE:FREQ=DAILY;COUNT=9223372036854775807"):     "expected 1 to",
		calendar(hour + "RRULE:FREQ=DAILY;COUNT=0"):                       "found COUNT=0",
		calendar(hour + "RRULE:FREQ=DAILY;UNTIL=never"):                   `RRULE: UNTIL: found "NEVER"`,
		calendar(hour + "RRULE:FREQ=SECONDLY"):                            "found FREQ=SECONDLY, expected a longer one",
		calendar(hour + "RRULE:FREQ=FORTNIGHTLY"):                         "undefined frequency",
		calendar(hour + "RRULE:INTERVAL=2"):                               "FREQ is required",
		calendar(hour + "RRULE:D1 #10"):                                   "wrong format",
		calendar(hour + "RRULE:RSCALE=CHINESE;FREQ=YEARLY"):               "unknown RRULE property: RSCALE",
		calendar(hour + "RRULE:FREQ=YEARLY;BYEASTER=0"):                   "found BYEASTER=0, which is no part of a rule",
		calendar(hour + "RRULE:FREQ=MONTHLY;BYDAY=6MO"):                   "found BYDAY=+6MO, expected -5 to 5",
		calendar(hour + "RRULE:FREQ=YEARLY;BYMONTH=12;BYDAY=53MO"):        "found BYDAY=+53MO",
		calendar(hour + "RRULE:FREQ=WEEKLY;BYDAY=XX;COUNT=3"):             "undefined weekday: XX",
		calendar(hour + "RRULE:FREQ=MONTHLY;BYMONTHDAY=32"):               "bymonthday must be between",
		calendar(hour + "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"):      "no day meets all its parts",
		calendar(hour + "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"):       "no day meets all its parts",
		calendar(hour + "RRULE:FREQ=MONTHLY;INTERVAL=4;BYMONTH=11"):       "no day meets all its parts",
		calendar(hour + "RRULE:FREQ=HOURLY;INTERVAL=24;BYHOUR=5"):         "no hour and minute of the rule can be reached",
		calendar(hour + "RRULE:FREQ=MINUTELY;INTERVAL=60;BYMINUTE=5"):     "no hour and minute of the rule can be reached",
		calendar(hour + "RRULE:FREQ=MINUTELY"):                            "its rules recur more than 1000000 times",
		calendar("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=HOURLY"):        "found FREQ=HOURLY for whole days, expected a longer one",
		calendar("DTSTART:" + strings.Repeat("1", 2<<20)):                 "line 4: DTSTART: found 2097160 bytes, expected up to 1048576",
	} {
		s := scenario.Schedule{Name: "s", Cron: "0 10 * * *", Blackout: []scenario.Blackout{{ICal: "x.ics", Calendar: []byte(text)}}}
		_, err := schedule.Upcoming(s, from(), 1)
		if want == "" {
			want = "line 3: DTSTART: found"
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "schedule s: calendar x.ics: ") {
			t.Errorf("%.80q: %v, expected %q", text, err, want)
		}
	}
}
