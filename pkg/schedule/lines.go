package schedule

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// property is a content line of a calendar.
type property struct {
	line   int    // where it begins
	name   string // in capitals
	params map[string]string
	value  string
}

// errorf is an error about a property, with its line.
func (p property) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %s: %w", p.line, p.name, fmt.Errorf(format, args...))
}

// component is what stands between BEGIN and END.
type component struct {
	line     int
	name     string
	props    []property
	children []*component
}

// all are the properties of a name.
func (c component) all(name string) (all []property) {
	for _, p := range c.props {
		if p.name == name {
			all = append(all, p)
		}
	}
	return all
}

// one is the first property of a name; its value is "" if there is none.
func (c component) one(name string) property {
	for _, p := range c.props {
		if p.name == name {
			return p
		}
	}
	return property{line: c.line, name: name}
}

// known are the properties that are read. Others may be as long and as wrong as they like.
func known() []string {
	return []string{
		"BEGIN", "END", "UID", "SUMMARY", "STATUS", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
		"TZID", "TZOFFSETFROM", "TZOFFSETTO", "FREEBUSY",
	}
}

// maxLine is the longest line that is read, in bytes, unfolded.
const maxLine = 1 << 20

// maxDepth is how deep components may be nested. An alarm of an event is at three.
const maxDepth = 8

// components reads the components of all calendars of a file (RFC 5545, section 3.4).
func components(data []byte) ([]*component, error) {
	root := &component{}
	open := []*component{root}
	names := known()
	for n, rest := 1, bytes.TrimPrefix(data, []byte("\ufeff")); len(rest) > 0; {
		var text []byte
		at := n
		text, rest, n = unfolded(rest, n)
		name, _, _ := strings.Cut(string(text[:min(len(text), maxName)]), ":")
		name, _, _ = strings.Cut(name, ";")
		if name = strings.ToUpper(strings.TrimSpace(name)); !slices.Contains(names, name) {
			continue
		}
		p, err := parseProperty(name, string(text), at)
		if err != nil {
			return nil, err
		}
		inner := open[len(open)-1]
		switch kind := strings.ToUpper(strings.TrimSpace(p.value)); {
		case name == "BEGIN":
			if len(open) > maxDepth {
				return nil, p.errorf("found components nested more than %d deep", maxDepth)
			}
			c := &component{line: at, name: kind}
			inner.children = append(inner.children, c)
			open = append(open, c)
		case name == "END" && (len(open) == 1 || inner.name != kind):
			return nil, p.errorf("found %s, expected the end of %s", kind, cmp.Or(inner.name, "no component"))
		case name == "END":
			open = open[:len(open)-1]
		default:
			inner.props = append(inner.props, p)
		}
	}
	if len(open) > 1 {
		return nil, fmt.Errorf("the file ends within %s, which begins in line %d: it is cut off", open[len(open)-1].name, open[len(open)-1].line)
	}
	return inside(root)
}

// inside are the components of the calendars in a file.
func inside(root *component) (all []*component, err error) {
	for _, c := range root.children {
		if c.name != "VCALENDAR" {
			return nil, fmt.Errorf("line %d: found %s, expected VCALENDAR", c.line, c.name)
		}
		all = append(all, c.children...)
	}
	if len(root.children) == 0 {
		return nil, errors.New("found no BEGIN:VCALENDAR: expected an iCalendar file (.ics)")
	}
	return all, nil
}

// maxName is longer than any name that is known, in bytes.
const maxName = 20

// unfolded cuts the first content line off. A line that begins with a blank continues the
// one before it. n is the number of the line.
func unfolded(data []byte, n int) (text, rest []byte, next int) {
	for first := true; ; first = false {
		line, after, _ := bytes.Cut(data, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if first {
			text = slices.Clip(line) // what is appended must not overwrite the data
		} else {
			text = append(text, line[1:]...)
		}
		data = after
		n++
		if len(data) == 0 || data[0] != ' ' && data[0] != '\t' {
			return text, data, n
		}
	}
}

// parseProperty reads a content line: NAME;PARAM=VALUE;PARAM="VALUE":VALUE.
func parseProperty(name, text string, line int) (property, error) {
	p := property{line: line, name: name}
	if len(text) > maxLine {
		return p, p.errorf("found %d bytes, expected up to %d", len(text), maxLine)
	}
	start, quoted := 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted || c != ';' && c != ':':
		default:
			if key, value, ok := strings.Cut(text[start:i], "="); ok {
				if p.params == nil { // most have none
					p.params = map[string]string{}
				}
				p.params[strings.ToUpper(key)] = strings.Trim(value, `"`)
			} else if start > 0 {
				return p, p.errorf("found the parameter %.40q, expected NAME=VALUE", text[start:i])
			}
			start = i + 1
			if c == ':' {
				p.value = strings.TrimSpace(text[start:])
				return p, nil
			}
		}
	}
	return p, p.errorf("expected a colon and a value")
}
