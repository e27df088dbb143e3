package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// shop is one shop, opened.
type shop struct {
	c     *rest.Client
	login login
	write bool
	sorts map[string]sort
	// plain reports that the shop has no pretty addresses: paths then travel in
	// the query.
	plain atomic.Bool
}

var (
	_ rest.Shop    = (*shop)(nil)
	_ rest.Checker = (*shop)(nil)
	_ rest.Origin  = (*shop)(nil)
)

// Skew implements [rest.Shop].
func (s *shop) Skew() time.Duration { return s.c.Skew() }

// ask asks for JSON below /wp-json.
func (s *shop) ask(ctx context.Context, r rest.Request, out any) (*rest.Answer, error) {
	if s.plain.Load() {
		q := url.Values{"rest_route": {"/" + r.Path}}
		for k, v := range r.Query {
			q[k] = v
		}
		r.Path, r.Query = "", q
	} else {
		r.Path = "wp-json/" + r.Path
	}
	return s.c.JSON(ctx, r, out)
}

func (s *shop) get(ctx context.Context, path string, q url.Values, out any) (*rest.Answer, error) {
	return s.ask(ctx, rest.Request{Path: path, Query: q}, out)
}

// refusal is the body of an error.
type refusal struct {
	Code string `json:"code"`
	Data struct {
		Status     int         `json:"status"`
		ResourceID json.Number `json:"resource_id"`
	} `json:"data"`
}

// about turns an answer that is no success into an error about one kind.
func (s *shop) about(k string, err error) error {
	var known *app.Error
	if errors.As(err, &known) {
		if known.Code == app.CodeShopAnswer {
			return known.With("kind", k)
		}
		return err
	}
	var st *rest.StatusError
	if !errors.As(err, &st) {
		return err
	}
	var why refusal
	if json.Unmarshal(st.Body, &why) != nil {
		// a guard before the shop speaks, not the shop
		return app.Errorf(app.CodeShopAnswer, "woocommerce: ask", "%w", err).With("kind", k).With("status", fmt.Sprint(st.Status))
	}
	switch {
	case st.Status == http.StatusUnauthorized || st.Status == http.StatusForbidden:
		e := app.Errorf(app.CodeShopScope, "woocommerce: ask", "%w", err).With("kind", k)
		if so := s.sorts[k]; len(so.Read) > 0 {
			e = e.With("right", so.Read[0])
		}
		return e
	case why.Code == "rest_no_route":
		return app.Errorf(app.CodeKindMissing, "woocommerce: ask", "%w", err).With("kind", k)
	}
	return app.Errorf(app.CodeShopAnswer, "woocommerce: ask", "%w", err).With("kind", k).With("status", fmt.Sprint(st.Status))
}

// noRoute reports whether the shop is too old to know a path.
func noRoute(err error) bool { return app.CodeOf(err) == app.CodeKindMissing }

// Probe implements [rest.Shop].
func (s *shop) Probe(ctx context.Context) (rest.Probe, error) {
	p := rest.Probe{Kinds: map[string]*app.Error{}, Details: map[string]string{}}
	if err := s.index(ctx, &p); err != nil {
		return p, err
	}
	if s.write {
		return p, s.mayWrite(ctx)
	}
	for name, so := range s.sorts {
		if so.login && !s.login.wordpress() {
			p.Kinds[name] = app.Errorf(app.CodeKindMissing, "woocommerce: look", "%s needs WordPress's own log-in", name).With("kind", name)
		}
	}
	// One kind refused is a matter of rights; two different ones of the key.
	first := s.proof(ctx, "orders")
	if app.CodeOf(first) != app.CodeShopScope {
		return p, whole(first)
	}
	if second := s.proof(ctx, "products"); app.CodeOf(second) == app.CodeShopScope {
		e := app.Errorf(app.CodeSourceDenied, "woocommerce: look", "%w", second).With("where", s.c.Base.Host)
		if s.login.user != "" {
			e = e.With("user", s.login.user)
		}
		return p, e
	} else if second != nil {
		return p, whole(second)
	}
	p.Kinds["orders"] = app.AsError(first)
	return p, nil
}

// whole lets an error about one kind of the look itself pass: the kind will
// meet it again. A broken answer is about the shop.
func whole(err error) error {
	if app.CodeOf(err) == app.CodeKindMissing {
		return app.Errorf(app.CodeSourceGone, "woocommerce: look", "%w", err)
	}
	return err
}

// wordpress is what WordPress says of itself.
type wordpress struct {
	Name           string          `json:"name"`
	Namespaces     []string        `json:"namespaces"`
	Authentication json.RawMessage `json:"authentication"` // an empty list for nothing
}

// wordpress asks WordPress what it is, and fails where it is no shop.
func (s *shop) wordpress(ctx context.Context) (about wordpress, err error) {
	q := url.Values{"_fields": {"name,namespaces,authentication"}}
	_, err = s.get(ctx, "", q, &about)
	var st *rest.StatusError
	if errors.As(err, &st) && st.Status == http.StatusNotFound && !s.plain.Load() {
		s.plain.Store(true)
		_, err = s.get(ctx, "", q, &about)
	}
	if err != nil {
		if errors.As(err, &st) && st.Status == http.StatusNotFound {
			return about, app.Errorf(app.CodeSourceGone, "woocommerce: look", "%w", err).With("where", s.c.Base.Host)
		}
		return about, s.about("", err)
	}
	for _, n := range about.Namespaces {
		if n == "wc/v3" {
			return about, nil
		}
	}
	return about, app.Errorf(app.CodeSourceGone, "woocommerce: look", "no WooCommerce among %s", strings.Join(about.Namespaces, " ")).With("where", s.c.Base.Host).With("path", "WooCommerce")
}

// index reads the name of the shop.
func (s *shop) index(ctx context.Context, p *rest.Probe) error {
	w, err := s.wordpress(ctx)
	p.Name = w.Name
	if p.Name == "" {
		p.Name = s.c.Base.Host
	}
	return err
}

// proof reads one id of a kind.
func (s *shop) proof(ctx context.Context, kind string) error {
	so := s.sorts[kind]
	q := so.params()
	if so.paging == byID {
		q.Set("per_page", "1")
	}
	q.Set("_fields", "id")
	_, err := s.get(ctx, so.path, q, nil)
	if err != nil {
		return s.about(kind, err)
	}
	return nil
}

// mayWrite proves that the key writes, by writing nothing.
func (s *shop) mayWrite(ctx context.Context) error {
	_, err := s.ask(ctx, rest.Request{Method: http.MethodPost, Path: "wc/v3/products/batch", Body: map[string]any{}}, nil)
	var st *rest.StatusError
	if errors.As(err, &st) && (st.Status == http.StatusUnauthorized || st.Status == http.StatusForbidden) {
		return app.Errorf(app.CodeSecretMissing, "woocommerce: look", "the key only reads: %w", err).With("field", forRestore+fieldPassword)
	}
	if err != nil {
		return s.about("products", err)
	}
	return nil
}

// Try implements [rest.Checker].
func (s *shop) Try(ctx context.Context, p *rest.Probe) error {
	for _, so := range table() {
		if p.Kinds[so.Name] != nil || strings.Contains(so.path, "%s") || so.Name == "orders" || so.Name == "system_status" {
			continue
		}
		err := s.proof(ctx, so.Name)
		switch app.CodeOf(err) {
		case "":
		case app.CodeShopScope, app.CodeShopAnswer, app.CodeKindMissing:
			p.Kinds[so.Name] = app.AsError(err)
		default:
			return err
		}
	}
	var status struct {
		Environment struct {
			Version string `json:"version"`
			WP      string `json:"wp_version"`
		} `json:"environment"`
	}
	_, err := s.get(ctx, "wc/v3/system_status", url.Values{"_fields": {"environment"}}, &status)
	switch code := app.CodeOf(s.about("system_status", err)); {
	case err == nil:
		p.Version = status.Environment.Version
		p.Details["wordpress"] = status.Environment.WP
	case code == app.CodeShopScope || code == app.CodeShopAnswer || code == app.CodeKindMissing:
		p.Kinds["system_status"] = app.AsError(s.about("system_status", err))
	default:
		return err
	}
	p.Details["login"] = "woocommerce"
	if s.login.wordpress() {
		p.Details["login"] = "wordpress"
	}
	return nil
}

// params returns a copy of the parameters of every list.
func (so sort) params() url.Values {
	q := url.Values{}
	for k, v := range so.query {
		q[k] = v
	}
	return q
}
