package journeyfrom

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// collection is a Postman collection (2.0 and 2.1), or a folder of one.
type collection struct {
	Name      string            `json:"name"`
	Items     []collection      `json:"item"`
	Variables []pair            `json:"variable"`
	Events    []event           `json:"event"`
	Auth      *postmanAuth      `json:"auth"`
	Request   json.RawMessage   `json:"request"`
	Responses []json.RawMessage `json:"response"`
	Disabled  bool              `json:"disabled"`
}

// pair is a variable, a header or a parameter.
type pair struct {
	Key      string `json:"key"`
	ID       string `json:"id"`
	Value    any    `json:"value"`
	Type     string `json:"type"`
	Src      any    `json:"src"`
	Disabled bool   `json:"disabled"`
}

func (p pair) text() string {
	if p.Value == nil {
		return ""
	}
	return plainText(p.Value)
}

type event struct {
	Listen string `json:"listen"`
	Script struct {
		Exec any `json:"exec"`
	} `json:"script"`
}

// postmanAuth is how a request authenticates. In 2.1, a kind is a list of pairs; in 2.0,
// an object.
type postmanAuth struct {
	Type   string `json:"type"`
	Bearer any    `json:"bearer"`
	Basic  any    `json:"basic"`
	APIKey any    `json:"apikey"`
}

// postmanRequest is a request of a collection.
type postmanRequest struct {
	Method string          `json:"method"`
	Header json.RawMessage `json:"header"`
	URL    json.RawMessage `json:"url"`
	Auth   *postmanAuth    `json:"auth"`
	Body   *struct {
		Mode       string `json:"mode"`
		Raw        string `json:"raw"`
		Urlencoded []pair `json:"urlencoded"`
		Formdata   []pair `json:"formdata"`
		GraphQL    any    `json:"graphql"`
		Options    struct {
			Raw struct {
				Language string `json:"language"`
			} `json:"raw"`
		} `json:"options"`
	} `json:"body"`
}

// postman is a collection that is read.
type postman struct {
	*importer

	values map[string]string // of the collection's variables
	set    map[string]bool   // variables that scripts set
}

// readPostman reads the requests of a collection, folder by folder.
func (i *importer) readPostman(data []byte) error {
	var c struct {
		collection

		Collection *collection `json:"collection"` // as the API of Postman returns it
	}
	if err := unmarshal(data, "", &c); err != nil {
		return err
	}
	root := c.collection
	if c.Collection != nil {
		root = *c.Collection
	}
	i.follow = clientFollow
	p := &postman{importer: i, values: map[string]string{}, set: map[string]bool{}}
	for _, v := range root.Variables {
		if name := v.name(); !v.Disabled {
			p.values[name] = v.text()
			i.secrets.learn(name, v.text())
			if v.Type == "secret" && v.text() != "" {
				i.secrets.known[v.text()] = name
			}
		}
	}
	return p.folder(root, "item", root.Auth, 0)
}

func (p pair) name() string {
	if p.Key != "" {
		return p.Key
	}
	return p.ID
}

// unmarshal reads a part of a document. An error names the place.
func unmarshal(data []byte, place string, v any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	return wrong(d, place, d.Decode(v))
}

// maxFolders is how deep folders can be within each other.
const maxFolders = 50

// folder reads the items of a folder.
func (p *postman) folder(c collection, place string, inherited *postmanAuth, depth int) error {
	if depth > maxFolders {
		return fmt.Errorf("%s: found folders that are more than %d deep", place, maxFolders)
	}
	inherited = cmp.Or(c.Auth, inherited)
	p.scripts(c, nil)
	for n, item := range c.Items {
		at := fmt.Sprintf("%s[%d]", place, n)
		if len(item.Request) == 0 {
			if err := p.folder(item, at+".item", inherited, depth+1); err != nil {
				return err
			}
			continue
		}
		if err := p.request(item, at, cmp.Or(item.Auth, inherited)); err != nil {
			return err
		}
	}
	return nil
}

// request reads one request.
func (p *postman) request(item collection, place string, inherited *postmanAuth) error {
	if item.Disabled {
		p.left.out("requests that are disabled", item.Name)
		return nil
	}
	var r postmanRequest
	if item.Request[0] == '"' {
		r.URL = item.Request
	} else if err := unmarshal(item.Request, place+".request", &r); err != nil {
		return err
	}
	raw, query, err := p.url(r.URL, place+".request.url")
	if err != nil {
		return err
	}
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Method = strings.ToUpper(r.Method); !isMethod(r.Method) {
		p.left.out("requests with a method that a step does not have", item.Name)
		return nil
	}
	u, err := p.address(raw)
	if err != nil {
		return fmt.Errorf("%s.request.url: %w", place, err)
	}
	if query != nil {
		u.RawQuery = encoded(query)
	}
	e := &exchange{name: p.marked(item.Name), method: r.Method}
	h := http.Header{}
	for _, one := range p.headers(r.Header) {
		h.Add(p.marked(one.Key), p.marked(one.text()))
	}
	p.body(e, r, h.Get("Content-Type"))
	e.setHeaders(h)
	p.authorize(e, cmp.Or(r.Auth, inherited))
	p.scripts(item, e)
	p.direct(e, u)
	return nil
}

// url is the URL of a request, and its parameters if they are listed.
func (p *postman) url(data json.RawMessage, place string) (raw string, query []field, err error) {
	if len(data) == 0 {
		return "", nil, fmt.Errorf("%s: found none", place)
	}
	if json.Unmarshal(data, &raw) == nil {
		return p.marked(raw), nil, nil
	}
	var u struct {
		Raw       string `json:"raw"`
		Query     []pair `json:"query"`
		Variables []pair `json:"variable"`
	}
	if err := unmarshal(data, place, &u); err != nil {
		return "", nil, err
	}
	raw, _, _ = strings.Cut(u.Raw, "#")
	raw, inRaw, _ := strings.Cut(raw, "?")
	for _, v := range u.Variables {
		value := v.text()
		if value == "" {
			value = "{{" + v.name() + "}}"
		}
		raw = strings.ReplaceAll(raw+"/", "/:"+v.name()+"/", "/"+value+"/")
		raw = strings.TrimSuffix(raw, "/")
	}
	for _, q := range u.Query {
		if !q.Disabled && q.Key != "" {
			query = append(query, field{name: p.marked(q.Key), value: literal(p.marked(q.text()))})
		}
	}
	switch {
	case u.Query == nil && inRaw != "":
		return p.marked(raw + "?" + inRaw), nil, nil
	case query == nil:
		query = []field{}
	}
	return p.marked(raw), query, nil
}
