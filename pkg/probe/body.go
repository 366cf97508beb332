package probe

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strings"
)

// compile makes the value of the Authorization header.
func (a *Auth) compile(c *Templates) func(u *User) (string, error) {
	if a == nil {
		return nil
	}
	if a.Basic == nil {
		token := c.Parse(a.Bearer)
		return func(u *User) (string, error) {
			value, err := u.Render(token)
			if err == nil && strings.ContainsFunc(value, isControl) {
				err = ownError("the token contains a control character")
			}
			return "Bearer " + value, err
		}
	}
	user, password := c.Parse(a.Basic.User), c.Parse(a.Basic.Password)
	return func(u *User) (string, error) {
		name, err := u.Render(user)
		if err != nil {
			return "", err
		}
		secret, err := u.Render(password)
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret)), err
	}
}

// compileBody makes the body and its content type.
func (s Step) compileBody(c *Templates) func(u *User) ([]byte, string, error) {
	switch {
	case s.JSON != nil:
		made := NewBuilder(s.JSON, c)
		return func(u *User) ([]byte, string, error) {
			v, err := u.Build(made)
			if err != nil {
				return nil, "", err
			}
			data, err := json.Marshal(v)
			return data, "application/json", err
		}
	case s.Form != nil:
		fields := parseAll(c, s.Form)
		return func(u *User) ([]byte, string, error) {
			form, err := u.encode(fields)
			return []byte(form), "application/x-www-form-urlencoded", err
		}
	case s.Multipart != nil:
		return s.compileMultipart(c)
	}
	text := c.Parse(s.Body)
	return func(u *User) ([]byte, string, error) {
		body, err := u.Render(text)
		return []byte(body), "", err
	}
}

// encode fills the templates of a query, or of a form, and encodes it.
func (u *User) encode(fields map[string]*Template) (string, error) {
	values := url.Values{}
	for key, t := range fields {
		value, err := u.Render(t)
		if err != nil {
			return "", err
		}
		values.Set(key, value)
	}
	return values.Encode(), nil
}

// compileMultipart makes a body of several parts, in the order of their names.
func (s Step) compileMultipart(c *Templates) func(u *User) ([]byte, string, error) {
	texts := map[string]*Template{}
	names := make([]string, 0, len(s.Multipart))
	for name, part := range s.Multipart {
		texts[name], names = c.Parse(part.Text), append(names, name)
	}
	slices.Sort(names)
	return func(u *User) ([]byte, string, error) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for _, name := range names {
			content, part := s.Multipart[name].Content, s.Multipart[name]
			if part.File == "" {
				text, err := u.Render(texts[name])
				if err != nil {
					return nil, "", err
				}
				content = []byte(text)
			}
			field, err := w.CreatePart(part.header(name))
			if err == nil {
				_, err = field.Write(content)
			}
			if err != nil {
				return nil, "", err
			}
		}
		err := w.Close()
		return body.Bytes(), w.FormDataContentType(), err
	}
}

// header is the head of a part.
func (p Part) header(name string) textproto.MIMEHeader {
	disposition := map[string]string{"name": name}
	kind := p.Type
	if p.File != "" {
		disposition["filename"] = path.Base(p.File)
		if kind == "" {
			kind = mime.TypeByExtension(path.Ext(p.File))
		}
		if kind == "" {
			kind = "application/octet-stream"
		}
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", mime.FormatMediaType("form-data", disposition))
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	return h
}
