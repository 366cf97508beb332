package journeyfrom

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"
)

// confirmWith looks up what an operation made: the look-up is finished in expectOf, when
// its request is complete.
func (o *openapi) confirmWith(made madeID, e *exchange, place, name string) {
	made.made.acknowledges = place
	o.confirm, o.confirmed = e, name
	made.made.comment("The response acknowledges a write: after the repair, confirm looks it up again.")
}

// parameter adds a parameter that is required, or has an example.
func (o *openapi) parameter(e *exchange, p *v3.Parameter) {
	if p == nil || p.In == "path" {
		return
	}
	value, given := o.valueOf(p)
	if (p.Required == nil || !*p.Required) && !given {
		return
	}
	v := asText(value)
	switch p.In {
	case "query":
		if list, ok := value.([]any); ok {
			for _, item := range list {
				e.query = append(e.query, field{name: p.Name, value: asText(item)})
			}
			return
		}
		e.query = append(e.query, field{name: p.Name, value: v})
	case "header":
		if headerName.MatchString(p.Name) && !browser.MatchString(p.Name) {
			e.headers = append(e.headers, field{name: p.Name, value: v})
		}
	case "cookie":
		o.left.out("cookies: users keep those that the system sets", p.Name)
	}
}

// asText is a value as it stands in a query or a header.
func asText(v any) text {
	if t, ok := v.(text); ok {
		return t
	}
	if v == nil {
		return nil
	}
	return literal(plainText(v))
}

// valueOf is a value for a parameter. given is whether the document has it.
func (o *openapi) valueOf(p *v3.Parameter) (v any, given bool) {
	if v, ok := example(p.Example, p.Examples); ok {
		return v, true
	}
	if p.Schema == nil {
		return literal("1"), false
	}
	return o.made(p.Schema, p.Name, 0)
}

// body makes the body of an operation: from its example, or from its schema.
func (o *openapi) body(e *exchange, op operation) {
	if op.RequestBody == nil || op.RequestBody.Content == nil {
		return
	}
	kind, media := preferred(op.RequestBody.Content)
	if media == nil {
		return
	}
	v, given := example(media.Example, media.Examples)
	if !given && media.Schema != nil {
		v, given = o.made(media.Schema, "", 0)
	}
	if !given {
		e.comment("The body is made from the schema: write what the system accepts.")
	}
	fields, isObject := v.(map[string]any)
	switch plain := mediaType(kind); {
	case isJSON(plain) || strings.HasPrefix(plain, "*/"):
		if strings.HasPrefix(plain, "*/") {
			plain = "application/json"
		}
		e.body = body{json: v, isJSON: v != nil, kind: plain}
	case plain == "application/x-www-form-urlencoded" && isObject:
		e.body.form = formOf(fields)
	case plain == "multipart/form-data" && isObject:
		e.body.multipart = formOf(fields)
	default:
		e.body = body{raw: asText(v), kind: plain}
	}
}

func formOf(fields map[string]any) (all []field) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, field{name: name, value: asText(fields[name])})
	}
	return all
}

// preferred is the content that a journey writes best.
func preferred(content *orderedmap.Map[string, *v3.MediaType]) (kind string, m *v3.MediaType) {
	rank := func(kind string) int {
		switch plain := mediaType(kind); {
		case plain == "application/json":
			return 0
		case isJSON(plain):
			return 1
		case plain == "application/x-www-form-urlencoded":
			return 2
		case plain == "multipart/form-data":
			return 3
		}
		return 4
	}
	for one, media := range content.FromOldest() {
		if media != nil && (m == nil || rank(one) < rank(kind)) {
			kind, m = one, media
		}
	}
	return kind, m
}

// expectOf sets the expected status, and remembers what the operation makes.
func (o *openapi) expectOf(e *exchange, op operation) {
	code, success := succeeds(op)
	if code != "" {
		e.status = []string{code}
	}
	if o.confirm == e {
		o.finishConfirm(e)
	}
	if e.method != http.MethodPost || success == nil || success.Content == nil {
		return
	}
	kind, media := preferred(success.Content)
	if media == nil || media.Schema == nil || !isJSON(mediaType(kind)) {
		return
	}
	schema := media.Schema.Schema()
	if schema == nil {
		return
	}
	for name := range schema.Properties.FromOldest() {
		if isIDName(name) && !isName(name) {
			path := "/" + strings.Trim(op.path, "/")
			if o.prefix != "" {
				path = "/" + o.prefix + path
			}
			o.ids[path] = madeID{e, name}
			return
		}
	}
}

var successCode = regexp.MustCompile(`^2(?:[0-9][0-9]|xx)$`)

// succeeds is the lowest status of success with its response.
func succeeds(op operation) (code string, r *v3.Response) {
	if op.Responses == nil {
		return "", nil
	}
	for one, response := range op.Responses.Codes.FromOldest() {
		if one = strings.ToLower(one); successCode.MatchString(one) && (code == "" || one < code) {
			code, r = one, response
		}
	}
	return code, r
}

// finishConfirm makes the look-up from a complete request.
func (o *openapi) finishConfirm(e *exchange) {
	confirm := *e
	confirm.path, confirm.captures, confirm.comments = slices.Clone(e.path), nil, nil
	for n, t := range confirm.path {
		if len(t) == 1 && t[0].action == "."+o.confirmed {
			confirm.path[n] = action(".id")
		}
	}
	o.confirm = &confirm
}

// secure sets the credentials that an operation needs.
func (o *openapi) secure(e *exchange, op operation) {
	required := op.Security
	if required == nil {
		required = o.model.Security
	}
	if len(required) == 0 || required[0] == nil || o.model.Components == nil {
		return
	}
	for name := range required[0].Requirements.FromOldest() {
		scheme := o.model.Components.SecuritySchemes.GetOrZero(name)
		if scheme == nil {
			e.comment("The document does not describe the credentials %s.", name)
			continue
		}
		o.credentials(e, scheme)
	}
}

func (o *openapi) credentials(e *exchange, s *v3.SecurityScheme) {
	env := func(name string) text { return fromEnv(o.secrets.use(o.secrets.prefix + name)) }
	kind := s.Type + " " + strings.ToLower(s.Scheme)
	switch {
	case kind == "http basic":
		e.auth = &auth{basic: true, user: env("USER"), password: env("PASSWORD")}
	case kind == "http bearer":
		e.auth = &auth{bearer: env("TOKEN")}
	case s.Type == "oauth2" || s.Type == "openIdConnect":
		e.auth = &auth{bearer: env("TOKEN")}
		e.comment("The token comes from the environment. To log in as users do, add a step that captures it.")
	case s.Type == "apiKey" && s.In == "header" && headerName.MatchString(s.Name):
		e.headers = append(e.headers, field{name: s.Name, value: env("API_KEY")})
	case s.Type == "apiKey" && s.In == "query":
		e.query = append(e.query, field{name: s.Name, value: env("API_KEY")})
	case s.Type == "apiKey" && s.In == "cookie":
		e.headers = append(e.headers, field{name: "Cookie", value: withCookie(nil, s.Name, env("API_KEY"))})
	default:
		e.comment("The document wants credentials that a step does not have: %s.", kind)
	}
}
