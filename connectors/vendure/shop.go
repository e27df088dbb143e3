package vendure

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// shop is one shop, opened.
type shop struct {
	c      *client
	writes bool // it was opened for writing
	sorts  map[string]sort

	mu      sync.Mutex
	custom  map[string][]customField // by entity; nil until asked for
	claimed map[string]bool          // option groups that are spoken for
}

var (
	_ rest.Shop     = (*shop)(nil)
	_ rest.Checker  = (*shop)(nil)
	_ rest.Finder   = (*shop)(nil)
	_ rest.Rewriter = (*shop)(nil)
)

// Skew implements [rest.Shop].
func (s *shop) Skew() time.Duration { return s.c.rest.Skew() }

// Gone implements [rest.Shop]: Vendure tells of nothing deleted.
func (s *shop) Gone(context.Context, rest.Kind, time.Time) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

// about turns what went wrong with a kind into an [app.Error]. It returns nil
// for nil.
func (s *shop) about(kind string, err error) error {
	var known *app.Error
	var refused *refusal
	var st *rest.StatusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		if known.Code == app.CodeShopAnswer && known.Args["kind"] == "" {
			return known.With("kind", kind)
		}
		return err
	case errors.As(err, &refused):
		if refused.has(codeForbidden) {
			e := app.Errorf(app.CodeShopScope, "vendure: ask", "%w", err).With("kind", kind)
			if so := s.sorts[kind]; len(so.Read) > 0 {
				e = e.With("right", strings.Join(so.Read, ", "))
			}
			return e
		}
	case errors.As(err, &st):
		if st.Status == http.StatusNotFound {
			return app.Errorf(app.CodeSourceGone, "vendure: ask", "%w", err).With("where", s.c.rest.Base.Host).With("path", s.c.path)
		}
		return app.Errorf(app.CodeShopAnswer, "vendure: ask", "%w", err).With("kind", kind).With("status", strconv.Itoa(st.Status))
	}
	return app.Errorf(app.CodeShopAnswer, "vendure: ask", "%w", err).With("kind", kind).With("status", "200")
}

func broken(kind, what string) error {
	return app.Errorf(app.CodeShopAnswer, "vendure: list", "%s: %s", kind, what).With("kind", kind).With("status", "200")
}

// lookText asks what everybody may know who is let in at all: a key has nobody
// behind it of whom could be asked.
const lookText = "query Look { globalSettings { id } }"

// mayWriteText changes nothing: it is refused to those who may only read.
const mayWriteText = "mutation MayWrite { updateProducts(input: []) { id } }"

// Probe implements [rest.Shop].
func (s *shop) Probe(ctx context.Context) (rest.Probe, error) {
	p := rest.Probe{Name: s.c.rest.Base.Host, Kinds: map[string]*app.Error{}, Details: map[string]string{}}
	err := s.c.query(ctx, lookText, nil, &struct{}{})
	if shut(err) {
		return p, s.c.denied(err)
	}
	if err != nil {
		return p, s.about("", err)
	}
	if s.writes {
		err := s.c.mutate(ctx, mayWriteText, nil, &struct{}{})
		if refusedWith(err, codeForbidden) {
			return p, app.Errorf(app.CodeSecretMissing, "vendure: look", "the login only reads: %w", err).With("field", forRestore+fieldPassword)
		}
		if err != nil {
			return p, s.about(kindProducts, err)
		}
	}
	return p, s.learn(ctx)
}

// Try implements [rest.Checker].
func (s *shop) Try(ctx context.Context, p *rest.Probe) error {
	for _, so := range table() {
		total, err := s.proof(ctx, so)
		if so.Name == kindChannels && total > 1 {
			p.Details["channels"] = strconv.Itoa(total)
		}
		err = s.about(so.Name, err)
		switch app.CodeOf(err) {
		case "":
		case app.CodeShopScope, app.CodeShopAnswer:
			p.Kinds[so.Name] = app.AsError(err)
		default:
			return err
		}
	}
	return nil
}

// proof reads one record of a kind, and returns how many there are.
func (s *shop) proof(ctx context.Context, so sort) (total int, err error) {
	if so.Name == kindSettings {
		_, err = s.settings(ctx, so)
		return 1, err
	}
	_, total, err = s.page(ctx, so, so.options(rest.Query{}, 0, 1))
	return total, err
}
