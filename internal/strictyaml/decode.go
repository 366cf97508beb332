package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Decodable is a type that decodes itself, with the methods of [Document].
type Decodable interface {
	// DecodeYAML fills the receiver and reports problems to the document.
	DecodeYAML(d *Document, n Node)
}

// Short is a struct that can also be written as one text.
type Short interface {
	// Short fills the receiver from the text.
	Short(text string)
}

// Several is a list that can also be written as its only item.
type Several interface {
	// Several marks the type.
	Several()
}

// Node is a value of the document, with its path.
type Node struct {
	Path string
	node ast.Node
}

// Pair is a key of a mapping, with its value.
type Pair struct {
	Key   string
	At    Position // of the key
	Value Node
}

// Decode fills a pointer to a struct from the whole document. Values with problems are
// reported in Problems; all others are filled.
func (d *Document) Decode(into any) {
	if d.body != nil {
		d.value(Node{"", d.body}, reflect.ValueOf(into).Elem(), rules{})
	}
}

// DecodeNode fills a pointer from one value.
func (d *Document) DecodeNode(n Node, into any) { d.value(n, reflect.ValueOf(into).Elem(), rules{}) }

// DecodePairs fills a pointer to a struct from pairs of a mapping.
func (d *Document) DecodePairs(path string, pairs []Pair, into any) {
	d.fields(path, pairs, reflect.ValueOf(into).Elem())
}

// Pairs are the pairs of a mapping, in order. Duplicate keys are reported as problems. So
// is a value that is not a mapping, for which Pairs returns nil.
func (d *Document) Pairs(n Node) []Pair {
	var values []*ast.MappingValueNode
	switch m := n.node.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		d.problem(placeOf(n.node), "%s: found %s, expected a mapping", name(n.Path), describe(n.node))
		return nil
	}
	pairs := make([]Pair, 0, len(values))
	known := make(map[string]bool, len(values))
	for _, v := range values {
		p := Pair{Key: v.Key.GetToken().Value, At: positionOf(v.Key.GetToken())}
		p.Value = Node{join(n.Path, p.Key), v.Value}
		if known[p.Key] {
			d.problem(p.At, "duplicate key %q", p.Key)
			continue
		}
		known[p.Key] = true
		d.positions[p.Value.Path] = placeOf(v.Value)
		pairs = append(pairs, p)
	}
	return pairs
}

// placeOf is the start of a value. For a mapping in block style that is its first key,
// because the mapping's own token is the colon after the key.
func placeOf(n ast.Node) Position {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return positionOf(m.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return positionOf(m.Key.GetToken())
	}
	return positionOf(n.GetToken())
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// name is a path at the start of a message.
func name(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// rules are the constraints in the jsonschema tag of a field.
type rules struct {
	enum               []string
	minimum, maximum   int64
	hasMinimum, hasMax bool
}

func rulesOf(f reflect.StructField) (r rules, required bool) {
	for word := range strings.SplitSeq(f.Tag.Get("jsonschema"), ",") {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "required":
			required = true
		case "enum":
			r.enum = append(r.enum, value)
		case "minimum":
			r.minimum, r.hasMinimum = number(value), true
		case "maximum":
			r.maximum, r.hasMax = number(value), true
		}
	}
	return r, required
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // our own tags; a test decodes every one
	return n
}

func (d *Document) value(n Node, into reflect.Value, r rules) {
	if d.full() {
		return
	}
	at := placeOf(n.node)
	if _, ok := d.positions[n.Path]; !ok {
		d.positions[n.Path] = at
	}
	if into.CanAddr() && d.itself(n, into.Addr().Interface()) {
		return
	}
	switch into.Kind() { //nolint:exhaustive // no file has the other kinds
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.value(n, into.Elem(), r)
	case reflect.Struct:
		if pairs := d.Pairs(n); pairs != nil { // what is no mapping lacks no key
			d.fields(n.Path, pairs, into)
		}
	case reflect.Slice:
		d.slice(n, into)
	case reflect.Map:
		d.mapping(n, into)
	case reflect.Interface:
		d.anything(n, into)
	default:
		d.scalar(n, into, r)
	}
}

// itself decodes a type that has its own form, if it is one.
func (d *Document) itself(n Node, into any) bool {
	switch self := into.(type) {
	case Decodable:
		self.DecodeYAML(d, n)
		return true
	case Short:
		if !isScalar(n.node) {
			return false
		}
		text, _ := d.text(n, "a text") // it is one
		self.Short(text)
		return true
	case encoding.TextUnmarshaler:
		if text, ok := d.text(n, "a value"); ok {
			if err := self.UnmarshalText([]byte(text)); err != nil {
				d.problem(placeOf(n.node), "%s: found %q, %s", name(n.Path), text, err)
			}
		}
		return true
	}
	return false
}

// fields fills a struct, and reports unknown keys and missing required keys.
func (d *Document) fields(path string, pairs []Pair, into reflect.Value) {
	known, names := keys(into.Type())
	for _, p := range pairs {
		f, ok := known[p.Key]
		if !ok {
			d.problem(p.At, "unknown key %q: %s", p.Key, Suggest(p.Key, names))
			continue
		}
		r, _ := rulesOf(f)
		d.value(p.Value, into.FieldByIndex(f.Index), r)
	}
	for _, key := range names {
		_, required := rulesOf(known[key])
		if required && !slices.ContainsFunc(pairs, func(p Pair) bool { return p.Key == key }) {
			d.problem(d.At(path), "%s: missing required key %q", name(path), key)
		}
	}
}

// keys are the fields of a struct by key, and the keys in order, including those of
// embedded structs.
func keys(t reflect.Type) (known map[string]reflect.StructField, names []string) {
	known = map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key != "" && key != "-" && f.IsExported() {
			known[key] = f
			names = append(names, key)
		}
	}
	return known, names
}

// Field is a key of a struct, with the constraints of its tags.
type Field struct {
	reflect.StructField

	Key      string
	Required bool
	Enum     []string // the allowed words; empty if all are allowed
}

// Fields are the keys of a struct, in order.
func Fields(t reflect.Type) []Field {
	known, names := keys(t)
	all := make([]Field, len(names))
	for i, key := range names {
		r, required := rulesOf(known[key])
		all[i] = Field{StructField: known[key], Key: key, Required: required, Enum: r.enum}
	}
	return all
}

func (d *Document) slice(n Node, into reflect.Value) {
	sequence, ok := n.node.(*ast.SequenceNode)
	if _, several := reflect.TypeAssert[Several](into.Addr()); several && !ok {
		into.Set(reflect.MakeSlice(into.Type(), 1, 1))
		d.value(n, into.Index(0), rules{})
		return
	}
	if !ok {
		d.problem(placeOf(n.node), "%s: found %s, expected a list", name(n.Path), describe(n.node))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		d.value(Node{fmt.Sprintf("%s[%d]", n.Path, i), item}, into.Index(i), rules{})
	}
}

func (d *Document) mapping(n Node, into reflect.Value) {
	into.Set(reflect.MakeMap(into.Type()))
	for _, p := range d.Pairs(n) {
		if !isPlain(p.Key) {
			d.problem(p.At, "%s: found key %q, expected a text without control characters", name(n.Path), p.Key)
		}
		value := reflect.New(into.Type().Elem()).Elem()
		d.value(p.Value, value, rules{})
		into.SetMapIndex(reflect.ValueOf(p.Key), value)
	}
}

// anything decodes a value of any type, such as the body of a request.
func (d *Document) anything(n Node, into reflect.Value) {
	var found repeats
	ast.Walk(&found, n.node)
	for _, r := range found {
		d.problem(placeOf(r), "%s: found %s, expected the value itself", name(n.Path), describe(r))
	}
	if len(found) > 0 {
		return
	}
	var v any
	err := yaml.NodeToValue(n.node, &v)
	var wrong yaml.Error
	switch {
	case errors.As(err, &wrong): // its own text has a picture of the source
		d.problem(positionOf(wrong.GetToken()), "%s: %s", name(n.Path), wrong.GetMessage())
		return
	case err != nil:
		d.problem(placeOf(n.node), "%s: %s", name(n.Path), err)
		return
	}
	if v != nil {
		into.Set(reflect.ValueOf(v))
	}
}

// repeats are the anchors and aliases in a value. They are refused, because a few lines
// of aliases of aliases are a value that fits in no memory.
type repeats []ast.Node

// Visit implements [ast.Visitor].
func (r *repeats) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		*r = append(*r, n)
		return nil
	}
	return r
}
