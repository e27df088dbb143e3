package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// shop is one shop opened for one piece of work.
type shop struct {
	p   *Platform
	c   *client
	l   library
	log *slog.Logger
	// came is when it first looked for bulk operations, by the shop's clock.
	came func() time.Time

	uploads  chan struct{} // full while so many files are being uploaded as may be at once
	mu       sync.Mutex
	owned    map[string]bool              // scopes the key has; nil until asked
	deleted  []deletion                   // since the time below
	since    time.Time                    // zero until asked
	told     []deletion                   // what else was done, where one look told it all
	swept    map[string]sweep             // what sweeps have read, by kind
	themes   []rest.Record                // nil until listed
	beat     *pulse                       // nil until looked
	begun    map[string]string            // bulk operations that were begun ahead, by their query
	states   map[string]map[string]any    // of what is about to be changed, by id
	pictures map[string]bool              // files of products about to be written, that the shop has
	items    map[string]stockItem         // by variant
	variants map[string]map[string]string // by product, then options
}

var _ rest.Shop = (*shop)(nil)

// errStop ends a list whose reader has enough.
var errStop = errors.New("enough")

// Skew implements [rest.Shop].
func (s *shop) Skew() time.Duration { return s.c.rest.Skew() }

// Probe implements [rest.Shop].
func (s *shop) Probe(ctx context.Context) (rest.Probe, error) {
	var got struct {
		Installation struct {
			Scopes []struct {
				Handle string `json:"handle"`
			} `json:"accessScopes"`
		} `json:"currentAppInstallation"`
		Versions []struct {
			Handle    string `json:"handle"`
			Supported bool   `json:"supported"`
		} `json:"publicApiVersions"`
		Shop struct {
			Name     string `json:"name"`
			Domain   string `json:"myshopifyDomain"`
			Plan     struct{ PublicDisplayName string }
			Currency string `json:"currencyCode"`
		} `json:"shop"`
	}
	if err := s.c.run(ctx, s.l["access"], nil, &got); err != nil {
		return rest.Probe{}, err
	}
	served := false
	for _, v := range got.Versions {
		served = served || v.Handle == Version && v.Supported
	}
	if !served {
		return rest.Probe{}, app.Errorf(app.CodeShopVersion, "shopify: probe", "version %s is not served", Version).With("version", Version)
	}
	owned := map[string]bool{}
	for _, sc := range got.Installation.Scopes {
		owned[sc.Handle] = true
	}
	s.mu.Lock()
	s.owned = owned
	s.mu.Unlock()
	p := rest.Probe{Name: got.Shop.Name, Version: Version, Kinds: map[string]*app.Error{}, Details: map[string]string{
		"shop": got.Shop.Domain, "plan": got.Shop.Plan.PublicDisplayName, "currency": got.Shop.Currency,
	}}
	for _, sp := range s.p.specs {
		if lacks := missing(owned, sp.Read); len(lacks) > 0 {
			p.Kinds[sp.Name] = app.Errorf(app.CodeShopScope, "shopify: probe", "%s needs %v", sp.Name, lacks).
				With("kind", sp.Name).With("right", strings.Join(lacks, ", "))
		}
	}
	if !owned["read_all_orders"] {
		p.Details["orders"] = "60 days" // older ones are in the backup only from when they were young
	}
	if more := writing(owned); len(more) > 0 {
		p.Details["writes"] = strings.Join(more, ", ")
	}
	return p, nil
}

// stands is, by scope, which others give the same sight.
var stands = map[string][]string{
	"read_content":   {"read_online_store_pages"},
	"write_content":  {"write_online_store_pages"},
	"read_companies": {"read_customers"},
}

// has reports whether a scope is among those owned: writing includes reading.
func has(owned map[string]bool, scope string) bool {
	for _, s := range append([]string{scope}, stands[scope]...) {
		if owned[s] || owned["write_"+strings.TrimPrefix(s, "read_")] {
			return true
		}
	}
	return false
}

func missing(owned map[string]bool, scopes []string) (out []string) {
	for _, s := range scopes {
		if !has(owned, s) {
			out = append(out, s)
		}
	}
	return out
}

// writing lists the scopes with which a stolen key could do harm.
func writing(owned map[string]bool) (out []string) {
	for s := range owned {
		if strings.HasPrefix(s, "write_") {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// List implements [rest.Shop].
func (s *shop) List(ctx context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		err := s.list(ctx, s.p.spec(k.Name), q, func(r rest.Record) error {
			if !yield(r, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(rest.Record{}, about(k, s.c.coded(ctx, err)))
		}
	}
}

// about names the kind in an error.
func about(k rest.Kind, err error) error {
	var known *app.Error
	if errors.As(err, &known) && known.Args["kind"] == "" {
		return known.With("kind", k.Name)
	}
	return err
}

// list chooses the way in which a kind is read.
func (s *shop) list(ctx context.Context, sp spec, q rest.Query, yield func(rest.Record) error) error {
	switch sp.Name {
	case kindShop, kindPolicies, kindLocales:
		return s.single(ctx, sp, yield)
	case kindMetafieldDefs:
		for _, owner := range owners() {
			if err := s.paged(ctx, sp, rest.Query{}, map[string]any{"owner": owner}, yield); err != nil {
				return err
			}
		}
		return nil
	case kindMetaobjects:
		return s.metaobjects(ctx, sp, q, yield)
	case kindThemes:
		return s.listThemes(ctx, sp, yield)
	case kindThemeFiles:
		return s.themeFiles(ctx, sp, q.Since, yield)
	case kindTranslations:
		return s.translations(ctx, sp, yield)
	}
	if sp.bulk && q.Since.IsZero() && !strings.HasPrefix(q.Resume, resumePage) {
		return s.inBulk(ctx, sp, q.Resume, yield)
	}
	if !q.Since.IsZero() && q.Resume == "" {
		s.dropSwept(sp.Name) // what changed is newer
		if found, ok, err := s.changedSince(ctx, sp, q.Since); err != nil {
			return err
		} else if ok {
			return s.touched(ctx, sp, q.Since, found, q.Known, yield)
		}
	}
	return s.paged(ctx, sp, q, nil, yield)
}

// owners are the types whose metafields can be given definitions.
func owners() []string {
	return []string{
		"PRODUCT", "PRODUCTVARIANT", "COLLECTION", "CUSTOMER", "ORDER", "DRAFTORDER", "PAGE", "BLOG", "ARTICLE",
		"LOCATION", "MARKET", "COMPANY", "COMPANY_LOCATION", "SHOP", "DISCOUNT",
	}
}

// record makes a record of what was settled.
func (s *shop) record(sp spec, m map[string]any) (rest.Record, error) {
	r, err := unwritten(sp, m)
	if err != nil {
		return r, err
	}
	return written(r)
}

// unwritten makes a record whose content is its fields.
func unwritten(sp spec, m map[string]any) (rest.Record, error) {
	if err := tidy(sp, m); err != nil {
		return rest.Record{}, err
	}
	id, _ := m["id"].(string)
	if id == "" {
		return rest.Record{}, app.Errorf(app.CodeShopAnswer, "shopify: read record", "a record of %s has no id", sp.Name)
	}
	return rest.Record{Key: rest.Key{ID: id}, Fields: m, Modified: modified(m), Mentions: mentions(sp, m)}, nil
}

func written(r rest.Record) (rest.Record, error) {
	text, err := json.Marshal(r.Fields)
	if err != nil {
		return rest.Record{}, fmt.Errorf("write record: %w", err)
	}
	r.JSON, r.Fields = text, nil
	return r, nil
}

// modified is when a record changed last, zero when it doesn't tell.
func modified(m map[string]any) time.Time {
	text, _ := m["updatedAt"].(string)
	if d, ok := m["discount"].(map[string]any); ok && text == "" {
		text, _ = d["updatedAt"].(string)
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// mentions lists what may have changed with a record: a product's time moves
// with the stock of its variants.
func mentions(sp spec, m map[string]any) map[string][]rest.Key {
	if sp.Name != kindProducts {
		return nil
	}
	var keys []rest.Key
	for _, v := range listOf(m["variants"]) {
		if id, _ := v["id"].(string); id != "" {
			keys = append(keys, rest.Key{ID: id})
		}
	}
	return map[string][]rest.Key{kindInventory: keys}
}

// listOf is a list's objects.
func listOf(v any) []map[string]any {
	elems, _ := v.([]any)
	out := make([]map[string]any, 0, len(elems))
	for _, e := range elems {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
