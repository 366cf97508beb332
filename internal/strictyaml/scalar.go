package strictyaml

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// isScalar reports whether a value is neither a mapping nor a list, nor empty.
func isScalar(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return true
	}
	return false
}

// text is the source text of a scalar.
func (d *Document) text(n Node, expected string) (string, bool) {
	switch s := n.node.(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.node.GetToken().Value, true
	}
	d.problem(placeOf(n.node), "%s: found %s, expected %s", name(n.Path), describe(n.node), expected)
	return "", false
}

func (d *Document) scalar(n Node, into reflect.Value, r rules) {
	expected := expectation(into.Type())
	text, ok := d.text(n, expected)
	if !ok {
		return
	}
	at := placeOf(n.node)
	if err := setScalar(into, n.node, text); err != nil {
		d.problem(at, "%s: found %q, expected %s", name(n.Path), text, expected)
		return
	}
	switch {
	case isDuration(into.Type()) && time.Duration(into.Int()).Abs() > d.MaxDuration:
		d.problem(at, "%s: found %s, expected at most %s (%d days)", name(n.Path), text, hours(d.MaxDuration), d.MaxDuration/(24*time.Hour))
	case into.Kind() == reflect.String && !isPlain(text):
		d.problem(at, "%s: found %q, expected a text without control characters", name(n.Path), text)
	case len(r.enum) > 0 && !slices.Contains(r.enum, text):
		d.problem(at, "%s: found %q, %s", name(n.Path), text, Suggest(text, r.enum))
	case r.hasMinimum && (into.CanInt() && into.Int() < r.minimum || into.CanUint() && r.minimum > 0 && into.Uint() < uint64(r.minimum)):
		d.problem(at, "%s: found %s, expected at least %d", name(n.Path), text, r.minimum)
	case r.hasMax && (into.CanInt() && into.Int() > r.maximum || into.CanUint() && into.Uint() > uint64(max(r.maximum, 0))):
		d.problem(at, "%s: found %s, expected at most %d", name(n.Path), text, r.maximum)
	}
}

// isPlain reports whether a text is without characters that no person types: control
// characters, but for line breaks and tabs, and what is no UTF-8.
func isPlain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t", r)
	})
}

func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[time.Duration]() }

// hours is a duration as people write it: 720h.
func hours(d time.Duration) string { return strconv.Itoa(int(d.Hours())) + "h" }

func expectation(t reflect.Type) string {
	switch {
	case isDuration(t):
		return "a duration with its unit, such as 500ms, 30s or 5m"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return "a whole number"
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return "a whole number of 0 or more"
	case t.Kind() == reflect.Float64:
		return "a number"
	}
	return "a string"
}

func setScalar(into reflect.Value, n ast.Node, text string) (err error) {
	switch {
	case isDuration(into.Type()):
		var v time.Duration
		if v, err = time.ParseDuration(text); text == "0" {
			v, err = 0, nil // the only duration without a unit
		}
		into.SetInt(int64(v))
	case into.Kind() == reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			return strconv.ErrSyntax
		}
		into.SetBool(b.Value)
	case into.CanInt():
		var v int64
		v, err = strconv.ParseInt(text, 10, into.Type().Bits())
		into.SetInt(v)
	case into.CanUint():
		var v uint64
		v, err = strconv.ParseUint(text, 10, into.Type().Bits())
		into.SetUint(v)
	case into.Kind() == reflect.Float64:
		var v float64
		if v, err = strconv.ParseFloat(text, 64); math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.ErrRange
		}
		into.SetFloat(v)
	default:
		into.SetString(text)
	}
	return err
}

// describe names the type of a value, or quotes the value.
func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.AliasNode, *ast.AnchorNode:
		return "an anchor or alias (not supported)"
	}
	return strconv.Quote(n.GetToken().Value)
}
