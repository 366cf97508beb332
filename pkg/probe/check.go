package probe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/theory/jsonpath"

	"github.com/gameday-dev/gameday/pkg/record"
)

// problems receives what is wrong with a value of a file, with the value's path.
type problems func(path, format string, args ...any)

// Check reports problems that involve more than one field, each with the path of the
// value.
func (j Journey) Check(problem func(path, format string, args ...any)) {
	if j.Timeout < 0 {
		problem("timeout", "timeout: found %v, expected a positive duration", j.Timeout)
	}
	if len(j.Steps) == 0 {
		problem("steps", "steps: found none, expected at least one")
	}
	known := map[string]bool{"seq": true}
	if j.Users != nil {
		for _, column := range j.Users.Columns {
			known[column] = true
		}
	}
	j.checkLet(known, problem)
	titles := map[string]bool{}
	for i, s := range j.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		s.check(path, known, problem)
		if titles[s.Title()] {
			problem(path, "%s: duplicate step name %q: set a different name", path, s.Title())
		}
		titles[s.Title()] = true
		if _, ok := record.CutAttempt(s.Title()); ok {
			problem(path, "%s: found the step name %q, but records name the attempts of a step so: set a different name", path, s.Title())
		}
		for captured := range s.Capture {
			known[captured] = true
		}
		if s.Poll != nil && s.Poll.Within > j.limit() {
			problem(path+".poll.within", "%s.poll.within: found %v, but the timeout of the journey is %v: set timeout: to more", path, s.Poll.Within, j.limit())
		}
	}
	if j.Confirm != nil {
		j.checkConfirm(known, problem)
	}
}

// checkConfirm checks the look-up of acknowledged writes.
func (j Journey) checkConfirm(known map[string]bool, problem problems) {
	known = maps.Clone(known)
	known["id"] = true
	j.Confirm.check("confirm", known, problem)
	if !j.Acknowledges() {
		problem("confirm", "confirm: no step acknowledges a write: add acknowledges: $.id to a step")
	}
	if j.Confirm.Acknowledges != "" || len(j.Confirm.Capture) > 0 || j.Confirm.Pause+j.Confirm.holds() != 0 {
		problem("confirm", "confirm: found acknowledges, capture, pause or hold, but it is the last request: remove them")
	}
}

// checkLet checks the values that are made for each user, and adds their names.
func (j Journey) checkLet(known map[string]bool, problem problems) {
	before := maps.Clone(known)
	for _, name := range slices.Sorted(maps.Keys(j.Let)) {
		path := "let." + name
		if !IsName(name) {
			problem(path, "%s: found the name %q, expected letters, digits and _", path, name)
		}
		if before[name] {
			problem(path, "%s: there is already a value of this name: choose another name", path)
		}
		if err := checkTemplate(j.Let[name], before); err != nil {
			problem(path, "%s: %v", path, err)
		}
		known[name] = true
	}
}

func (s Step) check(path string, known map[string]bool, problem problems) {
	s.checkRequest(path, problem)
	s.checkHeaders(path+".headers", problem)
	s.checkBody(path, problem)
	s.checkTimes(path, problem)
	for _, expect := range []struct {
		Expect
		key string
	}{{s.Expect, "expect"}, {s.until(), "poll.until"}} {
		expect.check(path+"."+expect.key, problem)
	}
	s.checkCaptures(path, problem)
	if s.Acknowledges != "" && !isTemplate(s.Acknowledges) {
		if _, err := jsonpath.Parse(s.Acknowledges); err != nil {
			at := path + ".acknowledges"
			problem(at, "%s: found %q, expected a JSONPath such as $.id, or a template such as {{.order}} (%v)", at, s.Acknowledges, err)
		}
	}
	within := known
	if isTemplate(s.Acknowledges) && len(s.Capture) > 0 {
		within = maps.Clone(known)
		for name := range s.Capture {
			within[name] = true
		}
	}
	for key, text := range s.templates() {
		names := known
		if key == "acknowledges" {
			names = within
		}
		if err := checkTemplate(text, names); err != nil {
			problem(path+"."+key, "%s.%s: %v", path, key, err)
		}
	}
}

// checkCaptures checks the names and the places of captured values.
func (s Step) checkCaptures(path string, problem problems) {
	for _, name := range slices.Sorted(maps.Keys(s.Capture)) {
		at := path + ".capture." + name
		if !IsName(name) {
			problem(at, "%s: found the name %q, expected letters, digits and _", at, name)
		}
		if err := s.Capture[name].check(); err != nil {
			problem(at, "%s: %v", at, err)
		}
	}
}

// checkRequest checks that the step is exactly one request, with a path that can be sent.
func (s Step) checkRequest(path string, problem problems) {
	found := s.requests()
	switch {
	case s.Include != "":
		problem(path, "%s: found include, which cannot be read from here", path)
		return
	case len(found) != 1:
		problem(path, "%s: found %d requests, expected exactly one of %s", path, len(found), strings.Join(requestKeys(), ", "))
		return
	}
	method, p := s.Request()
	if method == "" {
		s.checkOther(path, problem)
		return
	}
	if !strings.HasPrefix(p, "/") {
		problem(path, "%s: found the path %q, expected a path that starts with / (the environment's entry is the base URL)", path, p)
	} else if err := CheckPath(p); err != nil {
		key := path + "." + strings.ToLower(method)
		problem(key, "%s: %v", key, err)
	}
}

// checkTimes checks how often a step is repeated, and when.
func (s Step) checkTimes(path string, problem problems) {
	if s.Pause < 0 {
		problem(path+".pause", "%s.pause: found %v, expected a duration of 0s or more", path, s.Pause)
	}
	if s.Retry != nil && s.Poll != nil {
		problem(path+".poll", "%s: found both retry and poll, expected one of them", path)
	}
	if s.Poll != nil && s.holds() > 0 {
		problem(path+".poll", "%s: found both hold and poll, expected one of them", path)
	}
	if s.Retry != nil && s.Retry.Backoff < 0 {
		problem(path+".retry.backoff", "%s.retry.backoff: found %v, expected a duration of 0s or more", path, s.Retry.Backoff)
	}
	if s.Poll != nil && (s.Poll.Every <= 0 || s.Poll.Within <= s.Poll.Every) {
		problem(path+".poll", "%s.poll: found every %v within %v, expected 0s < every < within", path, s.Poll.Every, s.Poll.Within)
	}
}

// until is what ends the step's poll.
func (s Step) until() Expect {
	if s.Poll == nil {
		return Expect{}
	}
	return s.Poll.Until
}

// templates are the step's templates, by key.
func (s Step) templates() map[string]string {
	method, path := s.Request()
	texts := map[string]string{"body": s.Body}
	if method != "" {
		texts[strings.ToLower(method)] = path
	}
	for key, value := range s.Headers {
		texts["headers."+key] = value
	}
	for key, value := range s.Query {
		texts["query."+key] = value
	}
	for key, value := range s.Form {
		texts["form."+key] = value
	}
	for key, part := range s.Multipart {
		texts["multipart."+key] = part.Text
	}
	if s.Auth != nil {
		texts["auth.bearer"] = s.Auth.Bearer
		if b := s.Auth.Basic; b != nil {
			texts["auth.basic.user"], texts["auth.basic.password"] = b.User, b.Password
		}
	}
	if isTemplate(s.Acknowledges) {
		texts["acknowledges"] = s.Acknowledges
	}
	eachText(s.JSON, "json", func(key, text string) { texts[key] = text })
	s.otherTemplates(texts)
	return texts
}

// eachText visits the strings in a value made of maps, lists and scalars.
func eachText(v any, path string, visit func(path, text string)) {
	switch v := v.(type) {
	case string:
		visit(path, v)
	case []any:
		for i, item := range v {
			eachText(item, path+"["+strconv.Itoa(i)+"]", visit)
		}
	case map[string]any:
		for key, item := range v {
			eachText(item, path+"."+key, visit)
		}
	}
}
