package journeyfrom

import (
	"math"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// plainText is a constant as a text.
func plainText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return marshaled(v)
}

// dotted is the name of what is called, such as http.get.
func dotted(x js.IExpr) string {
	switch x := x.(type) {
	case *js.Var:
		return string(x.Name())
	case *js.LiteralExpr:
		return string(x.Data)
	case js.LiteralExpr:
		return string(x.Data)
	case *js.DotExpr:
		return dotted(x.X) + "." + dotted(x.Y)
	}
	return ""
}

// value is the value of an expression that is constant.
func (k *k6) value(x js.IExpr) (any, bool) {
	switch x := x.(type) {
	case *js.LiteralExpr:
		return literalOf(*x)
	case *js.Var:
		v, ok := k.consts[string(x.Name())]
		return v, ok
	case *js.GroupExpr:
		return k.value(x.X)
	case *js.TemplateExpr:
		return k.template(x)
	case *js.DotExpr:
		return k.member(x)
	case *js.ArrayExpr:
		all := []any{}
		for _, item := range x.List {
			v, ok := k.value(item.Value)
			if !ok || item.Spread {
				return nil, false
			}
			all = append(all, v)
		}
		return all, true
	case *js.ObjectExpr:
		return k.object(x)
	case *js.BinaryExpr:
		return k.binary(x)
	case *js.CallExpr:
		if dotted(x.X) == "JSON.stringify" && len(x.Args.List) == 1 {
			v, ok := k.value(x.Args.List[0].Value)
			return marshaled(v), ok
		}
	}
	return nil, false
}

func (k *k6) member(x *js.DotExpr) (any, bool) {
	name := dotted(x)
	if env, ok := strings.CutPrefix(name, "__ENV."); ok && env != "" {
		return k.marks.add(envAction(k.variable(env))), true
	}
	v, ok := k.value(x.X)
	m, isObject := v.(map[string]any)
	if !ok || !isObject {
		return nil, false
	}
	v, ok = m[dotted(x.Y)]
	return v, ok
}

func (k *k6) object(x *js.ObjectExpr) (any, bool) {
	all := map[string]any{}
	for _, p := range x.List {
		if p.Name == nil || p.Spread || p.Name.IsComputed() || p.Init != nil {
			return nil, false
		}
		name := string(p.Name.Literal.Data)
		if s, ok := literalOf(p.Name.Literal); ok {
			name = plainText(s)
		}
		v, ok := k.value(p.Value)
		if !ok {
			return nil, false
		}
		all[name] = v
	}
	return all, true
}

// binary is a concatenation of texts, or a variable with its default, which is the value.
func (k *k6) binary(x *js.BinaryExpr) (any, bool) {
	a, okA := k.value(x.X)
	b, okB := k.value(x.Y)
	if x.Op == js.OrToken || x.Op == js.NullishToken {
		return b, okB
	}
	_, isText := a.(string)
	_, other := b.(string)
	if x.Op != js.AddToken || !okA || !okB || !isText && !other {
		return nil, false
	}
	return plainText(a) + plainText(b), true
}

func (k *k6) template(x *js.TemplateExpr) (any, bool) {
	if x.Tag != nil && dotted(x.Tag) != "http.url" {
		return nil, false
	}
	var b strings.Builder
	for i, p := range x.List {
		v, ok := k.value(p.Expr)
		if !ok {
			return nil, false
		}
		b.WriteString(unquoted(strings.TrimSuffix(strings.TrimPrefix(string(p.Value), map[bool]string{true: "`", false: "}"}[i == 0]), "${")))
		b.WriteString(plainText(v))
	}
	tail := string(x.Tail)
	b.WriteString(unquoted(strings.TrimSuffix(strings.TrimLeft(tail[:min(1, len(tail))], "`}")+tail[min(1, len(tail)):], "`")))
	return b.String(), true
}

// literalOf is the value of a literal.
func literalOf(x js.LiteralExpr) (any, bool) {
	data := string(x.Data)
	switch {
	case x.TokenType == js.StringToken && len(data) >= 2:
		return unquoted(data[1 : len(data)-1]), true
	case x.TokenType == js.TrueToken || x.TokenType == js.FalseToken:
		return x.TokenType == js.TrueToken, true
	case x.TokenType == js.NullToken:
		return nil, true
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(data, "_", ""), 64)
	return n, err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
}

// unquoted is the content of a string of JavaScript.
func unquoted(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n', 'r', 't', 'b', 'f', 'v':
			b.WriteByte(map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f', 'v': '\v'}[c])
		case '\n':
		case 'x', 'u':
			digits := map[byte]int{'x': 2, 'u': 4}[c]
			if n, err := strconv.ParseInt(s[i+1:min(len(s), i+1+digits)], 16, 32); err == nil && i+digits < len(s) {
				b.WriteRune(rune(n))
				i += digits
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
