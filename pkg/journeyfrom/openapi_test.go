package journeyfrom_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// document is an OpenAPI document with paths, and with components if there are some.
func document(paths, components string) string {
	indent := func(text string) string {
		return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	}
	d := "openapi: 3.0.3\ninfo: {title: x, version: \"1\"}\nservers: [{url: \"https://a.example/v1/\"}]\npaths:\n" + indent(paths)
	if components != "" {
		d += "components:\n" + indent(components)
	}
	return d
}

// operation is the first step of a document with one operation.
func operation(t *testing.T, paths, components string) (probe.Step, journeyfrom.Result) {
	t.Helper()
	j, r := load(t, document(paths, components), journeyfrom.Options{Format: journeyfrom.OpenAPI})
	if len(j.Steps) == 0 {
		t.Fatalf("found no step:\n%s", r.Journey)
	}
	return j.Steps[0], r
}

// Parameters are sent if they are required or have an example, where the document has them.
func TestParametersOfOpenAPI(t *testing.T) {
	t.Parallel()
	for parameters, want := range map[string]func(s probe.Step) bool{
		"{name: q, in: query, required: true, schema: {type: string}}":                                      func(s probe.Step) bool { return s.Query["q"] == "text" },
		"{name: q, in: query, schema: {type: string}}":                                                      func(s probe.Step) bool { return len(s.Query) == 0 },
		"{name: q, in: query, example: shoes}":                                                              func(s probe.Step) bool { return s.Query["q"] == "shoes" },
		"{name: q, in: query, schema: {type: string, example: shoes}}":                                      func(s probe.Step) bool { return s.Query["q"] == "shoes" },
		"{name: q, in: query, examples: {one: {value: shoes}, two: {value: hats}}}":                         func(s probe.Step) bool { return s.Query["q"] == "shoes" },
		"{name: n, in: query, required: true, schema: {type: integer, minimum: 5}}":                         func(s probe.Step) bool { return s.Query["n"] == "5" },
		"{name: n, in: query, required: true, schema: {type: number, maximum: 0.5}}":                        func(s probe.Step) bool { return s.Query["n"] == "0.5" },
		"{name: n, in: query, required: true, schema: {type: integer, minimum: 5, exclusiveMinimum: true}}": func(s probe.Step) bool { return s.Query["n"] == "6" },
		"{name: b, in: query, required: true, schema: {type: boolean}}":                                     func(s probe.Step) bool { return s.Query["b"] == "true" },
		"{name: e, in: query, required: true, schema: {type: string, enum: [new, old]}}":                    func(s probe.Step) bool { return s.Query["e"] == "new" },
		"{name: d, in: query, required: true, schema: {type: string, default: asc}}":                        func(s probe.Step) bool { return s.Query["d"] == "asc" },
		"{name: u, in: query, required: true, schema: {type: string, format: uuid}}":                        func(s probe.Step) bool { return s.Query["u"] == "{{uuid}}" },
		"{name: t, in: query, required: true, schema: {type: string, format: date-time}}":                   func(s probe.Step) bool { return s.Query["t"] == "{{now}}" },
		"{name: t, in: query, required: true, schema: {type: string, format: date}}":                        func(s probe.Step) bool { return s.Query["t"] == `{{now "2006-01-02"}}` },
		"{name: m, in: query, required: true, schema: {type: string, format: email}}":                       func(s probe.Step) bool { return s.Query["m"] == "user-{{.seq}}@example.com" },
		"{name: l, in: query, required: true, schema: {type: string, minLength: 6}}":                        func(s probe.Step) bool { return len(s.Query["l"]) == 6 },
		"{name: l, in: query, required: true, schema: {type: string, maxLength: 2}}":                        func(s probe.Step) bool { return len(s.Query["l"]) == 2 },
		"{name: X-Tenant, in: header, required: true, schema: {type: string, default: a}}":                  func(s probe.Step) bool { return s.Headers["X-Tenant"] == "a" },
		"{name: User-Agent, in: header, required: true, schema: {type: string, default: a}}":                func(s probe.Step) bool { return len(s.Headers) == 0 },
		"{name: sid, in: cookie, required: true, schema: {type: string}}":                                   func(s probe.Step) bool { return s.Headers["Cookie"] == "" && len(s.Query) == 0 },
		"{name: id, in: path, required: true, example: A/1, schema: {type: string}}":                        func(s probe.Step) bool { return s.Get == "/v1/things/A%2F1/r.json" || s.Get == "/things/A%2F1/r.json" },
	} {
		s, r := operation(t, `
/things/{id}/r.{format}:
  get:
    parameters:
      - {name: format, in: path, required: true, schema: {type: string, enum: [json]}}
      - `+parameters+`
    responses: {"200": {description: ok}}`, "")
		if !want(s) {
			t.Errorf("%s:\n%s", parameters, r.Journey)
		}
	}
}

// A body is made from its example, else from its schema: the required properties, or all if
// none is required.
func TestBodiesOfOpenAPI(t *testing.T) {
	t.Parallel()
	const components = `
schemas:
  Base: {type: object, properties: {kind: {type: string, enum: [order]}}}
  Node: {type: object, required: [name, next], properties: {name: {type: string}, next: {$ref: "#/components/schemas/Node"}}}`
	for content, want := range map[string]func(s probe.Step) bool{
		`application/json: {example: {a: 1, b: [x, null, true]}}`:                                                                      sends(`{"a":1,"b":["x",null,true]}`),
		`application/json: {schema: {type: object, required: [a], properties: {a: {type: integer}, b: {type: integer}}}}`:              sends(`{"a":1}`),
		`application/json: {schema: {type: object, properties: {a: {type: integer}, id: {type: integer, readOnly: true}}}}`:            sends(`{"a":1}`),
		`application/json: {schema: {type: array, items: {type: string, enum: [s]}}}`:                                                  sends(`["s"]`),
		`application/json: {schema: {type: array}}`:                                                                                    sends(`[]`),
		`application/json: {schema: {allOf: [{$ref: "#/components/schemas/Base"}, {type: object, properties: {n: {type: boolean}}}]}}`: sends(`{"kind":"order","n":true}`),
		`application/json: {schema: {oneOf: [{type: integer, default: 7}, {type: string}]}}`:                                           sends(`7`),
		`application/json: {schema: {anyOf: [{type: string, default: s}, {type: string}]}}`:                                            sends(`"s"`),
		`application/json: {schema: {$ref: "#/components/schemas/Node"}}`:                                                              sends(`{"name":"text"}`),
		`application/json: {example: 12345678901234567890}`:                                                                            sends(`12345678901234567890`),
		`{text/plain: {example: hello}, application/json: {example: {a: 1}}}`:                                                          sends(`{"a":1}`),
		`"*/*": {example: {a: 1}}`: sends(`{"a":1}`),
		`application/x-www-form-urlencoded: {schema: {type: object, properties: {a: {type: string, default: x y}, n: {type: integer}}}}`: func(s probe.Step) bool { return s.Form["a"] == "x y" && s.Form["n"] == "1" },
		`multipart/form-data: {schema: {type: object, properties: {a: {type: string, default: x}}}}`:                                     func(s probe.Step) bool { return s.Multipart["a"].Text == "x" },
		`text/plain: {example: "hello"}`: func(s probe.Step) bool { return s.Body == "hello" && s.Headers["Content-Type"] == "text/plain" },
	} {
		if !strings.HasPrefix(content, "{") {
			content = "{" + content + "}"
		}
		s, r := operation(t, `
/things:
  post:
    requestBody: {content: `+content+`}
    responses: {"201": {description: made}}`, components)
		if !want(s) || s.Post == "" || len(s.Expect.Status) != 1 || s.Expect.Status[0] != "201" {
			t.Errorf("%s:\n%s", content, r.Journey)
		}
	}
}

// sends reports whether a step sends a JSON body, to the digit.
func sends(want string) func(s probe.Step) bool {
	return func(s probe.Step) bool {
		got, err := json.Marshal(s.JSON)
		return err == nil && string(got) == want
	}
}

// Credentials come from the environment, never from the document.
func TestCredentialsOfOpenAPI(t *testing.T) {
	t.Parallel()
	for scheme, want := range map[string]func(s probe.Step) bool{
		"{type: http, scheme: basic}": func(s probe.Step) bool {
			return s.Auth.Basic.User == `{{env "X_USER"}}` && s.Auth.Basic.Password == `{{env "X_PASSWORD"}}`
		},
		"{type: http, scheme: Bearer}":                func(s probe.Step) bool { return s.Auth.Bearer == `{{env "X_TOKEN"}}` },
		"{type: oauth2, flows: {}}":                   func(s probe.Step) bool { return s.Auth.Bearer == `{{env "X_TOKEN"}}` },
		"{type: openIdConnect, openIdConnectUrl: /o}": func(s probe.Step) bool { return s.Auth.Bearer == `{{env "X_TOKEN"}}` },
		"{type: apiKey, in: header, name: X-Key}":     func(s probe.Step) bool { return s.Headers["X-Key"] == `{{env "X_API_KEY"}}` },
		"{type: apiKey, in: query, name: key}":        func(s probe.Step) bool { return s.Query["key"] == `{{env "X_API_KEY"}}` },
		"{type: apiKey, in: cookie, name: sid}":       func(s probe.Step) bool { return s.Headers["Cookie"] == `sid={{env "X_API_KEY"}}` },
		"{type: mutualTLS}":                           func(s probe.Step) bool { return s.Auth == nil && len(s.Headers) == 0 },
	} {
		s, r := operation(t, `
/things:
  get:
    security: [{creds: []}]
    responses: {"200": {description: ok}}`, "securitySchemes: {creds: "+scheme+"}")
		if !want(s) {
			t.Errorf("%s:\n%s", scheme, r.Journey)
		}
	}
}

// What is not walked is named: deprecated operations, those that delete, and those outside
// of what was asked for.
func TestChoiceOfOperations(t *testing.T) {
	t.Parallel()
	source := document(`
/a:
  get: {operationId: listA, responses: {"200": {description: ok}}}
  delete: {operationId: dropA, responses: {"204": {description: ok}}}
/b:
  get: {operationId: listB, deprecated: true, responses: {"2XX": {description: ok}}}
/b/c:
  get: {operationId: listC, responses: {default: {description: ok}}}`, "")
	paths := func(o journeyfrom.Options) (all []string) {
		o.Format = journeyfrom.OpenAPI
		j, _ := load(t, source, o)
		for _, s := range j.Steps {
			all = append(all, s.Get+s.Delete)
		}
		return all
	}
	for name, c := range map[string]struct {
		options journeyfrom.Options
		want    string
	}{
		"all":          {journeyfrom.Options{}, "/v1/a /v1/b/c"},
		"below a path": {journeyfrom.Options{Paths: []string{"/b"}}, "/v1/b/c"},
		"by ID":        {journeyfrom.Options{Operations: []string{"listB", "dropA"}}, "/v1/b /v1/a"},
		"by method":    {journeyfrom.Options{Operations: []string{"GET /a"}}, "/v1/a"},
	} {
		got := strings.Join(paths(c.options), " ")
		if got != c.want && got != strings.ReplaceAll(c.want, "/v1", "") {
			t.Errorf("%s: found %q, expected %q", name, got, c.want)
		}
	}
	for want, o := range map[string]journeyfrom.Options{
		"--operation listX: the document has no such operationId (found listA, dropA, listB, listC)": {Operations: []string{"listX"}},
		"--path /z: the document has no operation below it":                                          {Paths: []string{"/z"}},
	} {
		o.Name, o.Format = "x", journeyfrom.OpenAPI
		if _, err := journeyfrom.Import(strings.NewReader(source), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("found %v, expected %s", err, want)
		}
	}
}

// The ID of what a step made is used by the steps after it, and looked up after the repair.
func TestWhatAnOperationMade(t *testing.T) {
	t.Parallel()
	j, r := load(t, document(`
/orders:
  post:
    responses: {"201": {description: made, content: {application/json: {schema: {type: object, properties: {status: {type: string}, orderId: {type: string}}}}}}}
/orders/{id}:
  get:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    responses: {"200": {description: ok}}`, ""), journeyfrom.Options{Format: journeyfrom.OpenAPI})
	if len(j.Steps) != 2 || len(j.Steps[0].Capture) != 1 || j.Confirm == nil {
		t.Fatalf("found %s", r.Journey)
	}
	for name, c := range j.Steps[0].Capture {
		if c.JSON != "$.orderId" || !strings.HasSuffix(j.Steps[1].Get, "/orders/{{."+name+"}}") || !strings.HasSuffix(j.Confirm.Get, "/orders/{{.id}}") {
			t.Errorf("found %s", r.Journey)
		}
	}
}
