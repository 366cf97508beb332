package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/cascadia"
	"github.com/antchfx/htmlquery"
	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"
	"golang.org/x/net/html"
)

// finder finds values in an answer; none is no error.
type finder func(a *Answer) ([]any, error)

// parsed is an answer in the forms that finders look at. Each form is made once.
type parsed struct {
	json    any
	jsonErr error
	isJSON  bool // json and jsonErr are set
	html    *html.Node
	xml     *xmlquery.Node
}

// whole reports whether all of the body was kept.
func (a *Answer) whole() bool { return int64(len(a.Body)) == a.Size }

// json is the answer as JSON has it.
func (a *Answer) json() (any, error) {
	if a.Valued {
		return a.Value, nil
	}
	if !a.whole() {
		return nil, errTooLarge
	}
	if p := &a.parsed; !p.isJSON {
		p.isJSON = true
		if p.json, p.jsonErr = exactly(a.Body); p.jsonErr != nil {
			p.jsonErr = Failure("the response is not JSON", shownValue(string(a.Body)))
		}
	}
	return a.parsed.json, a.parsed.jsonErr
}

// exactly reads an answer with its numbers to the last digit: an id is often
// greater than a float can tell apart, and its neighbor is another order.
func exactly(body []byte) (answer any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("found more than one value")
	}
	return answer, nil
}

// isXML reports whether the body is XML, and not HTML.
func (a *Answer) isXML() bool {
	kind := a.Header.Get("Content-Type")
	return strings.Contains(kind, "xml") && !strings.Contains(kind, "html") || kind == "" && bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("<?xml"))
}

// document reads the body as HTML or XML.
func (a *Answer) document() (err error) {
	p := &a.parsed
	switch {
	case p.html != nil || p.xml != nil:
		return nil
	case !a.whole():
		return errTooLarge
	case a.isXML():
		if p.xml, err = xmlquery.Parse(bytes.NewReader(a.Body)); err != nil {
			return Failure("the response is not XML", shownValue(string(a.Body)))
		}
	default:
		if p.html, err = html.Parse(bytes.NewReader(a.Body)); err != nil {
			return Failure("the response is not HTML", shownValue(string(a.Body)))
		}
	}
	return nil
}

// byCSS finds elements of HTML by a selector: their texts, or an attribute of theirs.
func byCSS(attribute string) func(selector string) (finder, error) {
	return func(selector string) (finder, error) {
		s, err := cascadia.Compile(selector)
		if err != nil {
			return nil, fmt.Errorf("found %q, expected a CSS selector such as input[name=token] (%w)", selector, err)
		}
		return func(a *Answer) (found []any, err error) {
			if err := a.document(); err != nil {
				return nil, err
			}
			if a.parsed.html == nil {
				return nil, ownError("the response is XML, which css does not look at: use xpath")
			}
			for _, n := range cascadia.QueryAll(a.parsed.html, s) {
				if attribute == "" {
					found = append(found, strings.TrimSpace(htmlquery.InnerText(n)))
				} else if value, ok := attributeOf(n, attribute); ok {
					found = append(found, value)
				}
			}
			return found, nil
		}, nil
	}
}

func attributeOf(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// byXPath finds nodes of HTML or XML, or evaluates an expression such as count(//li).
func byXPath(expression string) (finder, error) {
	e, err := xpath.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("found %q, expected an XPath such as //input[@name='token']/@value (%w)", expression, err)
	}
	return func(a *Answer) ([]any, error) {
		if err := a.document(); err != nil {
			return nil, err
		}
		var root xpath.NodeNavigator
		if a.parsed.xml != nil {
			root = xmlquery.CreateXPathNavigator(a.parsed.xml)
		} else {
			root = htmlquery.CreateXPathNavigator(a.parsed.html)
		}
		value := e.Evaluate(root)
		nodes, ok := value.(*xpath.NodeIterator)
		if !ok {
			return []any{value}, nil
		}
		var found []any
		for nodes.MoveNext() {
			found = append(found, strings.TrimSpace(nodes.Current().Value()))
		}
		return found, nil
	}, nil
}

// cookie is the value of a cookie that the user has after the answer, or that the answer
// sets.
func (a *Answer) cookie(name string) (string, bool) {
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == name {
			return c.Value, true
		}
	}
	if a.url != nil && a.cookies != nil {
		for _, c := range a.cookies.Cookies(a.url) {
			if c.Name == name {
				return c.Value, true
			}
		}
	}
	return "", false
}
