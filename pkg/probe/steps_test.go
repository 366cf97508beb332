package probe_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// one sends users along steps until the first one is back.
func one(t *testing.T, entry string, steps ...probe.Step) (first probe.Visit) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	j := probe.Journey{Name: "j", Timeout: 5 * time.Second, Steps: steps}
	l := probe.Load{Journey: j, Way: probe.Way{Entry: entry}, Rate: probe.Rate{Users: 100, Per: time.Second}, Seed: 1}
	if err := l.Run(ctx, func(v probe.Visit) {
		if first.Sample.Journey == "" {
			first = v
		}
		cancel()
	}); err != nil || first.Sample.Journey == "" {
		t.Fatalf("no user came back: %v", err)
	}
	return first
}

// answering is a server that answers everything with a body.
func answering(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// What an answer is held against, and what is said where it is another.
func TestExpectations(t *testing.T) {
	t.Parallel()
	const body = `{"n": 3, "big": 12345678901234567890, "half": 0.5, "s": "text", "on": true, "off": null, "list": [1, {"a": "b"}], "items": [{"n": 1}, {"n": 7}]}`
	for name, c := range map[string]struct {
		status int
		expect probe.Expect
		want   string // "" if it holds
	}{
		"nothing, 200":         {200, probe.Expect{}, ""},
		"nothing, 302":         {302, probe.Expect{}, ""},
		"nothing, 400":         {400, probe.Expect{}, "status 400"},
		"nothing, 503":         {503, probe.Expect{}, "status 503"},
		"status":               {204 + 2, probe.Expect{Status: probe.Codes(206)}, ""},
		"another status":       {200, probe.Expect{Status: probe.Codes(201)}, "status 200, expected 201"},
		"contains":             {200, probe.Expect{Contains: probe.Texts{`"text"`}}, ""},
		"does not contain":     {200, probe.Expect{Contains: probe.Texts{"nothing"}}, `does not contain "nothing"`},
		"a number":             {200, probe.Expect{JSON: map[string]any{"$.n": 3}}, ""},
		"a number of YAML":     {200, probe.Expect{JSON: map[string]any{"$.n": uint64(3)}}, ""},
		"a float":              {200, probe.Expect{JSON: map[string]any{"$.n": 3.0}}, ""},
		"half":                 {200, probe.Expect{JSON: map[string]any{"$.half": 0.5}}, ""},
		"a great number":       {200, probe.Expect{JSON: map[string]any{"$.big": uint64(12345678901234567890)}}, ""},
		"another number":       {200, probe.Expect{JSON: map[string]any{"$.n": 4}}, "$.n"},
		"a text for a number":  {200, probe.Expect{JSON: map[string]any{"$.n": "3"}}, "$.n"},
		"a text":               {200, probe.Expect{JSON: map[string]any{"$.s": "text"}}, ""},
		"true":                 {200, probe.Expect{JSON: map[string]any{"$.on": true}}, ""},
		"null":                 {200, probe.Expect{JSON: map[string]any{"$.off": nil}}, ""},
		"null exists":          {200, probe.Expect{JSON: map[string]any{"$.off": probe.Exists}}, ""},
		"a list":               {200, probe.Expect{JSON: map[string]any{"$.list": []any{1, map[string]any{"a": "b"}}}}, ""},
		"another list":         {200, probe.Expect{JSON: map[string]any{"$.list": []any{1}}}, "$.list"},
		"exists":               {200, probe.Expect{JSON: map[string]any{"$.list[1].a": probe.Exists}}, ""},
		"does not exist":       {200, probe.Expect{JSON: map[string]any{"$.list[2]": probe.Exists}}, "has no $.list[2]"},
		"a filter":             {200, probe.Expect{JSON: map[string]any{"$.items[?@.n > 5].n": 7}}, ""},
		"a filter finds none":  {200, probe.Expect{JSON: map[string]any{"$.items[?@.n > 8].n": probe.Exists}}, "has no"},
		"the first of several": {200, probe.Expect{JSON: map[string]any{"$.items[*].n": 1}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := one(t, answering(t, c.status, body), probe.Step{Name: "s", Get: "/", Expect: c.expect})
			if (v.Sample.Error == "") != (c.want == "") || !strings.Contains(v.Sample.Error, c.want) {
				t.Errorf("found %q, expected %q", v.Sample.Error, c.want)
			}
			if v.Sample.Failed() != (c.want != "") || v.Sample.Void {
				t.Errorf("%+v", v.Sample)
			}
		})
	}
}

// A number is captured, and acknowledged, to its last digit: ids are often greater
// than a float can tell apart.
func TestNumbersAreTakenAsTheyStand(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"7", "1234567", "1000000", "9007199254740993", "1234567890123456789", "0.5", `"text"`, `"00012"`, "true"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Value
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					_, _ = io.WriteString(w, `{"id": `+id+`}`)
					return
				}
				body, _ := io.ReadAll(r.Body)
				asked.Store(r.URL.Path + " " + r.Header.Get("X-Id") + " " + string(body))
			}))
			t.Cleanup(server.Close)
			v := one(t, server.URL,
				probe.Step{Name: "order", Post: "/orders", Capture: map[string]probe.Capture{"order": {JSON: "$.id"}}, Acknowledges: "$.id"},
				probe.Step{Name: "look", Get: "/orders/{{.order}}", Headers: map[string]string{"X-Id": "{{.order}}"}, JSON: map[string]any{"id": "{{.order}}"}},
			)
			plain := strings.Trim(id, `"`)
			if v.Sample.Error != "" || v.Ack == nil || v.Ack.ID != plain {
				t.Errorf("%+v, acknowledged %+v", v.Sample, v.Ack)
			}
			if want := fmt.Sprintf(`/orders/%s %s {"id":%q}`, plain, plain, plain); asked.Load() != want {
				t.Errorf("asked for %v, expected %s", asked.Load(), want)
			}
		})
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step probe.Step
		want string // HOST is that of the server
	}{
		"get":      {probe.Step{Get: "/a?b=c"}, "GET /a?b=c host=HOST type= agent=gameday x= "},
		"head":     {probe.Step{Head: "/"}, "HEAD / host=HOST type= agent=gameday x= "},
		"post":     {probe.Step{Post: "/", Body: "b {{.seq}}"}, "POST / host=HOST type= agent=gameday x= b 0"},
		"put":      {probe.Step{Put: "/", JSON: map[string]any{"a": []any{"{{.seq}}", 1, nil, true}}}, `PUT / host=HOST type=application/json agent=gameday x= {"a":["0",1,null,true]}`},
		"patch":    {probe.Step{Patch: "/", JSON: "t"}, `PATCH / host=HOST type=application/json agent=gameday x= "t"`},
		"delete":   {probe.Step{Delete: "/x"}, "DELETE /x host=HOST type= agent=gameday x= "},
		"a header": {probe.Step{Get: "/", Headers: map[string]string{"x": "{{.seq}}", "User-Agent": "mine"}}, "GET / host=HOST type= agent=mine x=0 "},
		"the host": {probe.Step{Get: "/", Headers: map[string]string{"Host": "shop.example"}}, "GET / host=shop.example type= agent=gameday x= "},
		"own type": {probe.Step{Post: "/", JSON: 1, Headers: map[string]string{"content-type": "application/x"}}, "POST / host=HOST type=application/x agent=gameday x= 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := make(chan string, 1) // of the first user
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				select {
				case first <- fmt.Sprintf("%s %s host=%s type=%s agent=%s x=%s %s", r.Method, r.URL, r.Host, r.Header.Get("Content-Type"), r.UserAgent(), r.Header.Get("X"), body):
				default:
				}
			}))
			t.Cleanup(server.Close)
			v := one(t, server.URL+"/", c.step) // the entry may end with a slash
			want := strings.Replace(c.want, "HOST", strings.TrimPrefix(server.URL, "http://"), 1)
			users := regexp.MustCompile(`\d+`) // whichever of them came first
			if diff := cmp.Diff(users.ReplaceAllString(want, "N"), users.ReplaceAllString(<-first, "N")); v.Sample.Error != "" || diff != "" {
				t.Errorf("%+v\n%s", v.Sample, diff)
			}
		})
	}
}

// A journey that cannot be made ready is an error, and nobody sets out.
func TestALoadThatCannotBegin(t *testing.T) {
	t.Parallel()
	good := probe.Step{Name: "s", Get: "/"}
	for name, c := range map[string]struct {
		way  probe.Way
		step probe.Step
		want string
	}{
		"entry":      {probe.Way{Entry: "shop"}, good, `"shop"`},
		"scheme":     {probe.Way{Entry: "ftp://shop"}, good, "ftp://shop"},
		"authority":  {probe.Way{Entry: "https://shop", CA: "none"}, good, "PEM"},
		"template":   {probe.Way{Entry: "http://shop"}, probe.Step{Name: "s", Get: "/{{"}, "step s"},
		"header":     {probe.Way{Entry: "http://shop"}, probe.Step{Name: "s", Get: "/", Headers: map[string]string{"a": "{{"}}, "step s"},
		"body":       {probe.Way{Entry: "http://shop"}, probe.Step{Name: "s", Get: "/", JSON: []any{map[string]any{"a": "{{"}}}, "step s"},
		"JSONPath":   {probe.Way{Entry: "http://shop"}, probe.Step{Name: "s", Get: "/", Acknowledges: "id"}, "step s"},
		"acknowledg": {probe.Way{Entry: "http://shop"}, probe.Step{Name: "s", Get: "/", Capture: map[string]probe.Capture{"a": {JSON: "$["}}}, "step s"},
	} {
		l := probe.Load{Journey: probe.Journey{Name: "j", Steps: []probe.Step{c.step}}, Way: c.way, Rate: probe.Rate{Users: 1, Per: time.Second}}
		err := l.Run(t.Context(), func(probe.Visit) { t.Errorf("%s: somebody set out", name) })
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "journey j") {
			t.Errorf("%s: found %v, expected %q", name, err, c.want)
		}
		confirm := c.step
		if err := (probe.Load{Journey: probe.Journey{Confirm: &confirm}, Way: c.way}).Confirm(t.Context(), record.AckedOf(nil), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, confirming: found %v, expected %q", name, err, c.want)
		}
	}
}

// What one look-up says of a write: only a definite denial makes it absent.
func TestPresence(t *testing.T) {
	t.Parallel()
	// The port of a server that was closed may be taken by the next one; this one is not.
	const nowhere = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		entry  string
		expect probe.Expect
		want   string
	}{
		"there":              {answering(t, 200, `{"id": 1}`), probe.Expect{}, probe.Present},
		"404":                {answering(t, 404, ""), probe.Expect{}, probe.Absent},
		"410":                {answering(t, 410, ""), probe.Expect{Status: probe.Codes(200)}, probe.Absent},
		"404 is what it is":  {answering(t, 404, ""), probe.Expect{Status: probe.Codes(404)}, probe.Present},
		"another content":    {answering(t, 200, `{"id": 2}`), probe.Expect{Status: probe.Codes(200), JSON: map[string]any{"$.id": 1}}, probe.Absent},
		"another, no status": {answering(t, 200, `{}`), probe.Expect{JSON: map[string]any{"$.id": probe.Exists}}, probe.Absent},
		"another status":     {answering(t, 202, ""), probe.Expect{Status: probe.Codes(200)}, probe.Unconfirmed},
		"500":                {answering(t, 500, ""), probe.Expect{}, probe.Unconfirmed},
		"401":                {answering(t, 401, ""), probe.Expect{}, probe.Unconfirmed},
		"nobody answers":     {nowhere, probe.Expect{}, probe.Unconfirmed},
	} {
		acks := []record.Ack{{ID: "1"}}
		var told []int
		j := probe.Journey{Confirm: &probe.Step{Get: "/{{.id}}", Expect: c.expect}}
		if err := (probe.Load{Journey: j, Way: probe.Way{Entry: c.entry}}).Confirm(t.Context(), record.AckedOf(acks), func(done, all int) { told = append(told, done, all) }); err != nil {
			t.Fatal(err)
		}
		if acks[0].Presence != c.want {
			t.Errorf("%s: %s, expected %s", name, acks[0].Presence, c.want)
		}
		if diff := cmp.Diff([]int{1, 2, 2, 2}, told); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if err := (probe.Load{Journey: probe.Journey{}, Way: probe.Way{}}).Confirm(t.Context(), record.AckedOf([]record.Ack{{ID: "1"}}), nil); err != nil {
		t.Errorf("nothing to look up: %v", err)
	}
}

// An ID that is null, empty or too long for any path acknowledges nothing.
func TestWhatIsNoAcknowledgement(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"id": null}`: "has no $.id to acknowledge", `{"id": ""}`: "has no $.id to acknowledge", `{}`: "has no $.id to acknowledge",
		`{"id": "` + strings.Repeat("x", 1025) + `"}`: "longer than 1 KiB",
	} {
		v := one(t, answering(t, 200, body), probe.Step{Name: "s", Post: "/", Acknowledges: "$.id"})
		if v.Ack != nil || !strings.Contains(v.Sample.Error, want) {
			t.Errorf("%.40s: found %+v and %q, expected %q", body, v.Ack, v.Sample.Error, want)
		}
	}
	if v := one(t, answering(t, 200, `{"id": "`+strings.Repeat("x", 1024)+`"}`), probe.Step{Name: "s", Post: "/", Acknowledges: "$.id"}); v.Ack == nil {
		t.Errorf("an ID of 1 KiB: %q", v.Sample.Error)
	}
}
