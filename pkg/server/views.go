package server

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/store"
)

//go:embed templates
var templates embed.FS

func (s *Server) render(w http.ResponseWriter, r *http.Request, name string, data any) {
	s.renderAs(w, r, http.StatusOK, name, data)
}

// renderAs shows a page with a status other than that all is well.
func (s *Server) renderAs(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var whole bytes.Buffer // half a page is none
	p := personOf(r.Context())
	views := p.Role.Covers(store.View)
	var trouble map[string]string
	if views {
		trouble = s.trouble()
	}
	err := s.views[name].Execute(&whole, map[string]any{
		"Page": name, "Data": data, "Person": p, "Operates": p.Role.Covers(store.Operate), "Views": views,
		"Version": s.Version, "Trouble": trouble, "Refused": status == http.StatusUnauthorized, "Live": name == "now" || name == "job", "Next": r.URL.Query().Get("next"),
	})
	if err != nil {
		s.complain("show the page "+name, err)
		http.Error(w, "the page cannot be shown: see the log of gameday serve", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = whole.WriteTo(w) // the client may have disconnected
}

// trouble is the daemon's current errors, without secrets of the files that they are about.
func (s *Server) trouble() map[string]string {
	all := s.Daemon.Trouble()
	for what, text := range all {
		all[what] = redact.Common().Text(text)
	}
	return all
}

// views are the pages by name: each is a template beside the layout.
func views(now func() time.Time) (map[string]*template.Template, error) {
	layout, err := template.New("layout.html").Funcs(functions(now)).ParseFS(templates, "templates/layout.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" {
			continue
		}
		page, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if all[name], err = page.ParseFS(templates, file); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func functions(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"when": func(t time.Time) string {
			if t.IsZero() {
				return "-"
			}
			return t.UTC().Format("Mon 2006-01-02 15:04:05 UTC")
		},
		"stamp":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"since":    func(t time.Time) string { return now().Sub(t).Round(time.Second).String() },
		"until":    func(t time.Time) string { return t.Sub(now()).Round(time.Second).String() },
		"deref":    func(t *time.Time) time.Time { return *t },
		"either":   func(a, b string) string { return cmp.Or(a, b) },
		"recovery": report.RecoveryOf,
		"headline": report.Headline,
	}
}
