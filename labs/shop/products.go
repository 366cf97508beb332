package shop

import (
	"context"
	"fmt"
	"html"
	"net/http"

	"github.com/jackc/pgx/v5"
)

type product struct {
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Cents int    `json:"cents"`
}

func (s *Shop) products(w http.ResponseWriter, r *http.Request) {
	products, err := s.all(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, products)
}

// front is the page that a browser sees.
func (s *Shop) front(w http.ResponseWriter, r *http.Request) {
	products, err := s.all(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><html><head><title>Shop</title></head><body><h1>Shop</h1><ul>")
	for _, p := range products {
		fmt.Fprintf(w, "<li>%s: %d.%02d</li>", html.EscapeString(p.Name), p.Cents/100, p.Cents%100)
	}
	fmt.Fprint(w, "</ul></body></html>")
}

// all are the products, from the database.
func (s *Shop) all(ctx context.Context) ([]product, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := s.pool.Query(ctx, "SELECT sku, name, cents FROM products ORDER BY sku")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[product])
}
