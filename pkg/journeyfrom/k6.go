package journeyfrom

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// clientFollow is how many redirects k6 and Postman follow, and here curl -L.
const clientFollow = 10

// readK6 reads the requests of a k6 script whose arguments are literals, or constants of
// the script.
func (i *importer) readK6(data []byte) error {
	if len(data) > maxScript {
		return fmt.Errorf("found %d bytes, expected at most %d", len(data), maxScript)
	}
	ast, err := js.Parse(parse.NewInputBytes(data), js.Options{})
	if err != nil {
		if p, ok := errors.AsType[*parse.Error](err); ok {
			return fmt.Errorf("line %d, column %d: not the JavaScript that k6 runs", p.Line, p.Column)
		}
		return errors.New("not the JavaScript that k6 runs")
	}
	i.follow = clientFollow
	js.Walk(&k6{importer: i, consts: map[string]any{}}, ast)
	return nil
}

// k6 visits a script.
type k6 struct {
	*importer

	consts map[string]any // variables with a constant value
	pause  time.Duration
	n      int // calls so far
}

// Exit implements the visitor.
func (k *k6) Exit(js.INode) {}

// Enter implements the visitor.
func (k *k6) Enter(n js.INode) js.IVisitor {
	switch n := n.(type) {
	case *js.VarDecl:
		for _, b := range n.List {
			if v, ok := b.Binding.(*js.Var); ok && b.Default != nil {
				k.declare(string(v.Data), b.Default)
			}
		}
	case *js.ForStmt, *js.ForInStmt, *js.ForOfStmt, *js.WhileStmt:
		k.left.out("loops: their requests are there once", "")
	case *js.IfStmt:
		k.left.out("conditions: the requests below them are always sent", "")
	case *js.CallExpr:
		k.call(n)
	}
	return k
}

func (k *k6) declare(name string, value js.IExpr) {
	delete(k.consts, name)
	if v, ok := k.value(value); ok {
		k.consts[name] = v
	}
}

// call reads a call: a request, or what a journey has none of.
func (k *k6) call(c *js.CallExpr) {
	args := make([]js.IExpr, len(c.Args.List))
	for i, a := range c.Args.List {
		args[i] = a.Value
	}
	switch name := dotted(c.X); name {
	case "sleep":
		if seconds, ok := k.first(args).(float64); ok && seconds > 0 && seconds < 3600 {
			k.pause = time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
		} else {
			k.left.out("pauses that are not constant", "")
		}
	case "check":
		k.left.out("checks: gameday expects a status from 200 to 399 unless a step says more", "")
	case "http.batch", "http.asyncRequest", "ws.connect":
		k.left.out("calls without a counterpart", name)
	case "http.request":
		if method, ok := k.first(args).(string); ok && len(args) > 1 {
			k.request(strings.ToUpper(method), args[1:])
		} else {
			k.skip("a method that is not constant")
		}
	default:
		method, ok := strings.CutPrefix(name, "http.")
		switch method {
		case "get", "head":
			k.request(strings.ToUpper(method), withoutBody(args))
		case "post", "put", "patch":
			k.request(strings.ToUpper(method), args)
		case "del":
			k.request(http.MethodDelete, args)
		default:
			if ok && (method == "options" || method == "url") {
				k.left.out("calls without a counterpart", name)
			}
		}
	}
}

// place is the request that is being read.
func (k *k6) place() string { return ordinal(k.n) + " request" }

func (k *k6) first(args []js.IExpr) any {
	if len(args) == 0 {
		return nil
	}
	v, _ := k.value(args[0])
	return v
}

func (k *k6) skip(why string) {
	k.n++
	k.left.out("requests that are not simple literals", fmt.Sprintf("the %s, with %s", k.place(), why))
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// withoutBody are the arguments of a request that has no body, with a place for it.
func withoutBody(args []js.IExpr) []js.IExpr {
	if len(args) < 2 {
		return args
	}
	return append([]js.IExpr{args[0], nil}, args[1:]...)
}

// request reads a request. Its arguments are the URL, the body, which may be nil, and the
// parameters.
func (k *k6) request(method string, args []js.IExpr) {
	raw, ok := k.first(args).(string)
	if !ok {
		k.skip("a URL that is made while the script runs")
		return
	}
	u, err := k.address(raw)
	if err != nil || !isMethod(method) {
		k.skip("a URL or a method that a step does not have")
		return
	}
	k.n++
	e := &exchange{method: method, pause: k.pause}
	k.pause = 0
	h := http.Header{}
	if len(args) > 2 {
		k.parameters(e, h, args[2])
	}
	if len(args) > 1 && args[1] != nil {
		k.body(e, h.Get("Content-Type"), args[1])
	}
	e.setHeaders(h)
	k.direct(e, u)
}

// parameters reads the parameters of a request.
func (k *k6) parameters(e *exchange, h http.Header, x js.IExpr) {
	v, ok := k.value(x)
	params, isObject := v.(map[string]any)
	if !ok || !isObject && v != nil {
		e.comment("The parameters of the request (headers, …) are made while the script runs: add what the system needs.")
		k.left.out("parameters of requests that are not literals", k.place())
		return
	}
	headers, _ := params["headers"].(map[string]any)
	for name, value := range headers {
		h.Set(name, plainText(value))
	}
	if tags, ok := params["tags"].(map[string]any); ok {
		e.name, _ = tags["name"].(string)
	}
	if n, ok := params["redirects"].(float64); ok && n >= 0 && n <= maxFollow {
		e.follow, e.hasFollow = int(n), true
	}
	if cookies, ok := params["cookies"].(map[string]any); ok && len(cookies) > 0 {
		k.left.out("cookies of requests: users keep those that the system sets", k.place())
	}
}

// body reads the body of a request.
func (k *k6) body(e *exchange, kind string, x js.IExpr) {
	if c, ok := x.(*js.CallExpr); ok && dotted(c.X) == "JSON.stringify" && len(c.Args.List) > 0 {
		if kind == "" {
			kind = "application/json"
		}
		x = c.Args.List[0].Value
		if v, ok := k.value(x); ok && v != nil {
			data, err := json.Marshal(v)
			if err == nil {
				e.setBody(kind, data)
				return
			}
		}
	} else if v, ok := k.value(x); ok {
		switch v := v.(type) {
		case nil:
			return
		case string:
			e.setBody(kind, []byte(v))
			return
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				e.body.form = append(e.body.form, field{name: name, value: literal(plainText(v[name]))})
			}
			return
		}
	}
	e.comment("The body is made while the script runs: write it here.")
	k.left.out("bodies of requests that are not literals", k.place())
}
