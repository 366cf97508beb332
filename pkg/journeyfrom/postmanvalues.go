package journeyfrom

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// sets matches how a script sets a variable.
var sets = regexp.MustCompile(`pm\.(?:environment|collectionVariables|globals|variables)\.set\(\s*["'\x60]([\w.-]+)["'\x60]`)

// scripts says what the scripts of an item did.
func (p *postman) scripts(c collection, e *exchange) {
	for _, event := range c.Events {
		script := plainText(event.Script.Exec)
		if lines, ok := event.Script.Exec.([]any); ok {
			all := make([]string, len(lines))
			for n, line := range lines {
				all[n] = plainText(line)
			}
			script = strings.Join(all, "\n")
		}
		if strings.TrimSpace(script) == "" || script == "null" {
			continue
		}
		p.left.out(map[bool]string{true: "tests", false: "scripts before requests"}[event.Listen == "test"], c.Name)
		for _, found := range sets.FindAllStringSubmatch(script, -1) {
			p.set[found[1]] = true
			if e != nil {
				e.comment("A script of Postman sets %s here. To do the same, capture it in this step, and use {{.%s}} below.", found[1], identifier(found[1]))
			}
		}
	}
}

// headers are the headers of a request: a list of them, or lines of text.
func (p *postman) headers(data json.RawMessage) (all []pair) {
	var lines string
	if json.Unmarshal(data, &all) == nil {
		return slices.DeleteFunc(all, func(one pair) bool { return one.Disabled || one.Key == "" })
	}
	if json.Unmarshal(data, &lines) == nil {
		for line := range strings.SplitSeq(lines, "\n") {
			if key, value, ok := strings.Cut(line, ":"); ok {
				all = append(all, pair{Key: strings.TrimSpace(key), Value: strings.TrimSpace(value)})
			}
		}
		return all
	}
	return nil
}

var variable = regexp.MustCompile(`\{\{\s*([^{}]{1,100}?)\s*\}\}`)

// marked is a text with a mark for each variable.
func (p *postman) marked(s string) string {
	return variable.ReplaceAllStringFunc(s, func(found string) string {
		return p.mark(variable.FindStringSubmatch(found)[1])
	})
}

// mark is the mark of a variable: a constant of the journey, an environment variable, or
// a function.
func (p *postman) mark(name string) string {
	if dynamic, ok := strings.CutPrefix(name, "$"); ok {
		switch dynamic {
		case "guid", "randomUUID":
			return p.marks.add("uuid")
		case "timestamp":
			return p.marks.add(`now "unix"`)
		case "isoTimestamp":
			return p.marks.add("now")
		case "randomInt":
			return p.marks.add("random 0 1000")
		}
		p.left.out("functions of Postman that are random texts here", name)
		return p.marks.add("random 8")
	}
	value, known := p.values[name]
	id := identifier(snake(name))
	switch {
	case known && strings.Contains(value, "://"):
		return value // the base URL
	case !known || value == "" || p.set[name] || p.secrets.isSecret(name, value) || p.secrets.known[value] != "" || id == "seq" || id == "id":
		return p.marks.add(envAction(p.secrets.use(p.secrets.prefix + strings.ToUpper(id))))
	}
	if p.let == nil {
		p.let = map[string]string{}
	}
	p.let[id] = escaped(value)
	return p.marks.add("." + id)
}

// body reads the body of a request.
func (p *postman) body(e *exchange, r postmanRequest, kind string) {
	b := r.Body
	if b == nil {
		return
	}
	switch b.Mode {
	case "raw":
		if kind == "" && (b.Options.Raw.Language == "json" || b.Options.Raw.Language == "") {
			kind = "application/json"
		}
		e.setBody(kind, []byte(p.marked(b.Raw)))
	case "urlencoded":
		for _, one := range b.Urlencoded {
			if !one.Disabled {
				e.body.form = append(e.body.form, field{name: p.marked(one.Key), value: literal(p.marked(one.text()))})
			}
		}
	case "formdata":
		e.body.multipart = p.formData(b.Formdata)
	case "graphql":
		e.setBody("application/json", []byte(p.marked(marshaled(b.GraphQL))))
	case "file":
		p.left.out("bodies that are files", e.name)
	}
}

// authorize sets the credentials of a request.
func (p *postman) authorize(e *exchange, a *postmanAuth) {
	if a == nil || a.Type == "noauth" || e.auth != nil {
		return
	}
	get := p.setting
	switch a.Type {
	case "bearer":
		if token := get(a.Bearer, "token"); token != "" {
			e.auth = &auth{bearer: literal(token)}
		}
	case "basic":
		e.auth = &auth{basic: true, user: literal(get(a.Basic, "username")), password: literal(get(a.Basic, "password"))}
		p.secrets.learn("password", get(a.Basic, "password"))
	case "apikey":
		name, value := get(a.APIKey, "key"), get(a.APIKey, "value")
		p.secrets.known[value] = "api_key"
		if get(a.APIKey, "in") == "query" {
			p.left.out("API keys in queries: add them to query:", p.secrets.clean(e.name))
		} else if headerName.MatchString(name) {
			e.headers = append(e.headers, field{name: name, value: literal(value)})
		}
	default:
		p.left.out("credentials of a kind that a step does not have", a.Type)
		e.comment("Postman authenticates this request in a way that a step does not have: add auth: or headers:.")
	}
}

// formData are the fields of a form with files.
func (p *postman) formData(pairs []pair) (all []field) {
	for _, one := range pairs {
		if one.Disabled {
			continue
		}
		f := field{name: p.marked(one.Key), value: literal(p.marked(one.text()))}
		if one.Type == "file" {
			f.value, f.file = nil, &file{name: plainText(one.Src)}
		}
		all = append(all, f)
	}
	return all
}

// setting is one setting of a kind of credentials: of a list of pairs, or of an object.
func (p *postman) setting(kind any, name string) string {
	var all []pair
	if json.Unmarshal([]byte(marshaled(kind)), &all) == nil {
		for _, one := range all {
			if one.Key == name {
				return p.marked(one.text())
			}
		}
		return ""
	}
	m, _ := kind.(map[string]any)
	if m[name] == nil {
		return ""
	}
	return p.marked(plainText(m[name]))
}
