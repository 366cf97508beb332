package journeyfrom

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"github.com/pb33f/libopenapi/orderedmap"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func captureJSON(path string) probe.Capture { return probe.Capture{JSON: path} }

// confirmWith looks up what an operation made: the look-up is finished in expectOf, when
// its request is complete.
func (o *openapi) confirmWith(made madeID, e *exchange, place, name string) {
	o.acks = map[*exchange]string{made.made: place}
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

// example is the first example that there is.
func example(one *yaml.Node, several *orderedmap.Map[string, *base.Example]) (any, bool) {
	if one != nil {
		return ofNode(one), true
	}
	for _, e := range several.FromOldest() {
		if e != nil && e.Value != nil {
			return ofNode(e.Value), true
		}
	}
	return nil, false
}

// ofNode is a value of a document.
func ofNode(n *yaml.Node) any {
	left := maxScalars
	return nodeValue(n, 0, &left)
}

var jsonForm = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

func nodeValue(n *yaml.Node, depth int, left *int) any {
	if *left--; n == nil || depth > maxDepth || *left < 0 {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return nodeValue(n.Alias, depth+1, left)
	case yaml.SequenceNode:
		all := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			all = append(all, nodeValue(item, depth+1, left))
		}
		return all
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			all[n.Content[i].Value] = nodeValue(n.Content[i+1], depth+1, left)
		}
		return all
	case yaml.ScalarNode:
		switch tag := n.ShortTag(); {
		case tag == "!!null":
			return nil
		case tag == "!!bool":
			return strings.EqualFold(n.Value, "true")
		case (tag == "!!int" || tag == "!!float") && jsonForm.MatchString(n.Value):
			return json.Number(n.Value)
		}
		return literal(n.Value)
	}
	return nil
}

// maxDepth is how deep values of a schema are made.
const maxDepth = 12

// made is a value that a schema describes. given is whether the document has it.
func (o *openapi) made(proxy *base.SchemaProxy, name string, depth int) (v any, given bool) {
	if o.budget--; o.budget < 0 || proxy == nil || depth > maxDepth {
		return nil, false
	}
	if ref := proxy.GetReference(); ref != "" {
		if slices.Contains(o.open, ref) {
			return nil, false // a schema within itself
		}
		o.open = append(o.open, ref)
		defer func() { o.open = o.open[:len(o.open)-1] }()
	}
	s := proxy.Schema()
	if s == nil {
		return literal("text"), false
	}
	switch {
	case s.Example != nil:
		return ofNode(s.Example), true
	case len(s.Examples) > 0:
		return ofNode(s.Examples[0]), true
	case s.Const != nil:
		return ofNode(s.Const), true
	case s.Default != nil:
		return ofNode(s.Default), true
	case len(s.Enum) > 0:
		return ofNode(s.Enum[0]), true
	case len(s.OneOf) > 0:
		return o.made(s.OneOf[0], name, depth+1)
	case len(s.AnyOf) > 0:
		return o.made(s.AnyOf[0], name, depth+1)
	case len(s.AllOf) > 0 || s.Properties != nil || slices.Contains(s.Type, "object"):
		return o.object(s, depth), false
	case slices.Contains(s.Type, "array"):
		if s.Items == nil || s.Items.N != 0 || s.Items.A == nil {
			return []any{}, false
		}
		item, given := o.made(s.Items.A, singular(name), depth+1)
		if item == nil {
			return []any{}, given
		}
		return []any{item}, given
	}
	return scalar(s, name), false
}

// object has the required properties, or all if none is required.
func (o *openapi) object(s *base.Schema, depth int) any {
	all := map[string]any{}
	for _, part := range s.AllOf {
		if v, _ := o.made(part, "", depth+1); v != nil {
			if m, ok := v.(map[string]any); ok {
				maps.Copy(all, m)
			}
		}
	}
	for name, property := range s.Properties.FromOldest() {
		if len(s.Required) > 0 && !slices.Contains(s.Required, name) {
			continue
		}
		if inner := property.Schema(); inner != nil && inner.ReadOnly != nil && *inner.ReadOnly {
			continue
		}
		v, given := o.made(property, name, depth+1)
		if v != nil || given {
			all[name] = v
		}
	}
	return all
}

// scalar is a value of a simple type.
func scalar(s *base.Schema, name string) any {
	switch {
	case slices.Contains(s.Type, "integer") || slices.Contains(s.Type, "number"):
		least := 1.0
		if s.Minimum != nil {
			least = math.Ceil(*s.Minimum)
			if s.ExclusiveMinimum != nil && s.ExclusiveMinimum.N == 0 && s.ExclusiveMinimum.A {
				least++
			}
		}
		if s.ExclusiveMinimum != nil && s.ExclusiveMinimum.N == 1 {
			least = math.Floor(s.ExclusiveMinimum.B) + 1
		}
		if s.Maximum != nil && *s.Maximum < least {
			least = *s.Maximum
		}
		return json.Number(strconv.FormatFloat(least, 'f', -1, 64))
	case slices.Contains(s.Type, "boolean"):
		return true
	case slices.Contains(s.Type, "null"):
		return nil
	}
	return word(s, name)
}

// word is a text of a format and a length.
func word(s *base.Schema, name string) text {
	switch s.Format {
	case "uuid":
		return action("uuid")
	case "date-time":
		return action("now")
	case "date":
		return action(`now "2006-01-02"`)
	case "email":
		return text{{literal: "user-"}, {action: ".seq"}, {literal: "@example.com"}}
	case "uri", "url":
		return literal("https://example.com/")
	case "ipv4":
		return literal("192.0.2.1")
	}
	made := "text"
	if isName(name) {
		made = "a-secret-" + name
	}
	if s.MinLength != nil {
		for int64(len(made)) < min(*s.MinLength, 1000) {
			made += "x"
		}
	}
	if s.MaxLength != nil && *s.MaxLength >= 0 && int64(len(made)) > *s.MaxLength && !isName(name) {
		made = made[:*s.MaxLength]
	}
	return literal(made)
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
	var success *v3.Response
	if op.Responses != nil {
		codes := map[string]*v3.Response{}
		for code, r := range op.Responses.Codes.FromOldest() {
			codes[strings.ToLower(code)] = r
		}
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			if len(code) == 3 && code[0] == '2' && (code == "2xx" || code[1] >= '0' && code[1] <= '9' && code[2] >= '0' && code[2] <= '9') {
				e.status, success = []string{code}, codes[code]
				break
			}
		}
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
		e.headers = append(e.headers, field{name: "Cookie", value: append(literal(s.Name+"="), env("API_KEY")...)})
	default:
		e.comment("The document wants credentials that a step does not have: %s.", kind)
	}
}
