package journeyfrom

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi/datamodel"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// operation is an operation of a document, with its path.
type operation struct {
	*v3.Operation

	method, path string
	item         *v3.PathItem
}

// openapi is a document that is read.
type openapi struct {
	*importer

	model  *v3.Document
	prefix string            // of all paths
	ids    map[string]madeID // what an operation made, by the path of its collection
	open   []string          // references of schemas that are being looked at
	budget int               // schemas that can still be looked at
}

// madeID is where the ID of what an operation made is.
type madeID struct {
	made *exchange
	name string // of the property
}

// maxSchemas is how many schemas are looked at for one document.
const maxSchemas = 20_000

// readOpenAPI reads the operations of an OpenAPI 3 document.
func (i *importer) readOpenAPI(data []byte) (err error) {
	defer func() {
		if recover() != nil { // the library does not expect each document
			err = errors.New("found a document that does not hold to OpenAPI 3: check it with a linter")
		}
	}()
	model, err := i.model(data)
	if err != nil {
		return err
	}
	o := &openapi{importer: i, model: model, ids: map[string]madeID{}, budget: maxSchemas}
	o.setServer()
	chosen, err := o.choose()
	if err != nil {
		return err
	}
	for _, op := range chosen {
		if len(i.exchanges) >= maxRequests {
			i.left.out("operations after the first ones", op.path)
			continue
		}
		i.exchanges = append(i.exchanges, o.exchange(op))
	}
	i.notes = append(i.notes, "an OpenAPI document does not say which values exist: look at each parameter and each body")
	return nil
}

// model reads a document. It opens no other file and no address.
func (i *importer) model(data []byte) (*v3.Document, error) {
	config := datamodel.NewDocumentConfiguration()
	config.AllowFileReferences, config.AllowRemoteReferences = false, false
	config.Logger = slog.New(slog.DiscardHandler)
	config.SkipExternalRefResolution = true
	config.IgnorePolymorphicCircularReferences, config.IgnoreArrayCircularReferences = true, true
	document, err := libopenapi.NewDocumentWithConfiguration(data, config)
	if err != nil {
		return nil, err
	}
	if version := document.GetVersion(); !strings.HasPrefix(version, "3.") {
		return nil, fmt.Errorf("openapi: found version %q, expected 3.0 or 3.1", version)
	}
	built, err := document.BuildV3Model()
	switch {
	case built == nil && err != nil:
		return nil, err
	case built == nil || built.Model.Paths == nil:
		return nil, errors.New("paths: found none")
	case err != nil: // such as a reference that leads nowhere
		i.notes = append(i.notes, "the document has problems: "+err.Error())
	}
	return &built.Model, nil
}

// setServer takes the base URL from the first server.
func (o *openapi) setServer() {
	if o.entry = o.wanted; o.entry != nil {
		return
	}
	if len(o.model.Servers) == 0 || o.model.Servers[0] == nil {
		return
	}
	server := o.model.Servers[0]
	raw := server.URL
	if server.Variables != nil {
		for name, v := range server.Variables.FromOldest() {
			raw = strings.ReplaceAll(raw, "{"+name+"}", v.Default)
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || strings.Contains(raw, "{"):
	case u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"):
		o.entry = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	case u.Host == "":
		o.prefix = strings.Trim(u.EscapedPath(), "/")
	}
}

// choose finds the operations that a person wants, in order.
func (o *openapi) choose() (chosen []operation, err error) {
	var all []operation
	for path, item := range o.model.Paths.PathItems.FromOldest() {
		if item == nil {
			continue
		}
		for method, op := range item.GetOperations().FromOldest() {
			all = append(all, operation{op, strings.ToUpper(method), path, item})
		}
	}
	if len(o.options.Operations) > 0 {
		return o.named(all)
	}
	for _, op := range all {
		switch under := slices.ContainsFunc(o.options.Paths, func(p string) bool { return strings.HasPrefix(op.path, p) }); {
		case !isMethod(op.method):
			o.left.out("operations with a method that a step does not have", op.method+" "+op.path)
		case len(o.options.Paths) > 0 && !under:
			o.left.out("operations outside --path", op.method+" "+op.path)
		case op.Deprecated != nil && *op.Deprecated:
			o.left.out("operations that are deprecated", op.method+" "+op.path)
		case op.method == http.MethodDelete:
			o.left.out("operations that delete (--operation names them)", op.method+" "+op.path)
		default:
			chosen = append(chosen, op)
		}
	}
	if len(chosen) == 0 && len(o.options.Paths) > 0 {
		return nil, fmt.Errorf("--path %s: the document has no operation below it", strings.Join(o.options.Paths, ","))
	}
	return chosen, nil
}

// named are the operations with the IDs that a person gives.
func (o *openapi) named(all []operation) (chosen []operation, err error) {
	for _, id := range o.options.Operations {
		n := slices.IndexFunc(all, func(op operation) bool { return op.OperationId == id || op.method+" "+op.path == id })
		if n < 0 {
			return nil, fmt.Errorf("--operation %s: the document has no such operationId (found %s)", id, someIDs(all))
		}
		chosen = append(chosen, all[n])
	}
	return chosen, nil
}

func someIDs(all []operation) string {
	var ids []string
	for _, op := range all {
		if op.OperationId != "" && len(ids) < 10 {
			ids = append(ids, op.OperationId)
		}
	}
	return strings.Join(ids, ", ")
}

// exchange is the request of an operation.
func (o *openapi) exchange(op operation) *exchange {
	e := &exchange{method: op.method, name: op.OperationId}
	if !isMethod(e.method) {
		e.method = http.MethodGet
		e.comment("The document has the method %s here, which a step does not have.", op.method)
	}
	parameters := slices.Clone(op.Parameters)
	for _, p := range op.item.Parameters {
		if p != nil && !slices.ContainsFunc(op.Parameters, func(own *v3.Parameter) bool { return own != nil && own.Name == p.Name && own.In == p.In }) {
			parameters = append(parameters, p)
		}
	}
	o.setPath(e, op, parameters)
	for _, p := range parameters {
		o.parameter(e, p)
	}
	o.body(e, op)
	o.secure(e, op)
	o.expectOf(e, op)
	return e
}

// setPath sets the path. A parameter after a collection to which an earlier operation
// added is the ID of what was added.
func (o *openapi) setPath(e *exchange, op operation, parameters []*v3.Parameter) {
	path := strings.Trim(op.path, "/")
	if o.prefix != "" {
		path = o.prefix + "/" + path
	}
	before := ""
	for one := range strings.SplitSeq(path, "/") {
		name, isParameter := strings.CutPrefix(one, "{")
		name = strings.TrimSuffix(name, "}")
		var value text
		switch made, ok := o.ids[before]; {
		case !isParameter:
			value = o.inSegment(one, parameters)
		case ok && made.made != nil:
			value = o.use(made, e)
		default:
			value = o.pathValue(e, name, parameters)
		}
		e.path = append(e.path, value)
		before += "/" + one
	}
}

// inSegment is a segment such as report.{format}.
func (o *openapi) inSegment(one string, parameters []*v3.Parameter) text {
	for _, p := range parameters {
		if p != nil && p.In == "path" && strings.Contains(one, "{"+p.Name+"}") {
			value, _ := o.valueOf(p)
			one = strings.ReplaceAll(one, "{"+p.Name+"}", url.PathEscape(flat(value)))
		}
	}
	return literal(url.PathEscape(segment(one)))
}

// flat is a value as a text, without what is filled in.
func flat(v any) string {
	if t, ok := v.(text); ok {
		plain, _ := t.plain()
		return plain
	}
	return plainText(v)
}

func (o *openapi) pathValue(e *exchange, name string, parameters []*v3.Parameter) text {
	for _, p := range parameters {
		if p == nil || p.In != "path" || p.Name != name {
			continue
		}
		value, given := o.valueOf(p)
		if !given {
			e.comment("The document has no example of %s: choose one that exists.", name)
		}
		if t, ok := value.(text); ok && len(t) == 1 && t[0].action != "" {
			return t
		}
		return literal(url.PathEscape(flat(value)))
	}
	e.comment("The document does not describe %s: choose one that exists.", name)
	return literal("1")
}

// use captures the ID of what an earlier operation made.
func (o *openapi) use(made madeID, e *exchange) text {
	place := "$" + member(made.name)
	name := o.capture(made.made, made.made.nameOf(made.name), probe.Capture{JSON: place})
	if e.method == http.MethodGet && o.confirm == nil && made.made.method == http.MethodPost {
		o.confirmWith(made, e, place, name)
	}
	return action("." + name)
}
