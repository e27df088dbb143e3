package shopify

import (
	"compress/gzip"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	fake "kvart/connectors/fakeshop/shopify"
)

// schemaFile is Shopify's own description of the version spoken.
const schemaFile = "../../../shared/fixtures/shopify/admin_" + Version + ".graphql.gz"

var officialSchema = sync.OnceValues(func() (*ast.Schema, error) {
	f, err := os.Open(schemaFile)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	return gqlparser.LoadSchema(&ast.Source{Name: schemaFile, Input: string(text)})
})

func schema(t *testing.T) *ast.Schema {
	t.Helper()
	s, err := officialSchema()
	if os.IsNotExist(err) {
		t.Skip("KVART-SKIP shopify-schema: no official schema beside the repository:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// oneReader is the reader of every fake shop of this package's tests.
var oneReader = sync.OnceValue(func() *fake.Reader {
	s, err := officialSchema()
	if err != nil {
		return nil // which has been told by then
	}
	return fake.NewReader(s)
})

func reader(t *testing.T) *fake.Reader {
	t.Helper()
	schema(t)
	return oneReader()
}

func mustLibrary(t *testing.T) library {
	t.Helper()
	l, err := loadLibrary()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// everyOperation is every text that is ever sent, also those made from others,
// by a name for people.
func everyOperation(t *testing.T) map[string]string {
	t.Helper()
	l, all := mustLibrary(t), map[string]string{}
	for name, d := range l {
		all[name] = d.String()
		for base, along := range connections(d.root, "", nil) {
			all[name+" on from "+base] = nextPage(strings.SplitN(base, " ", 2)[0], along).String()
		}
	}
	for name, d := range l {
		if inBulk(name) {
			all[name+" many"] = many(d)
		}
	}
	for _, sp := range specs() {
		d := l[sp.list]
		if sp.typ != "" && d.root != nil && d.root[0].nodes() != nil {
			all[sp.Name+" by id"] = byID(d, sp.typ).String()
			all[sp.Name+" ids"] = idsOnly(d).String()
			all[sp.Name+" slim"] = slim(d, sp.apart).String()
			all[sp.Name+" slim by id"] = byID(slim(d, sp.apart), sp.typ).String()
			for f, typ := range sp.apart {
				all[sp.Name+" elements "+f] = elementsByID(d, f, typ).String()
			}
		}
		if !sp.bulk {
			continue
		}
		for name, filter := range map[string]string{" bulk": "", " bulk since": changedSince(longAgo)} {
			main, parts := (&shop{l: l}).bulkTexts(sp, filter)
			all[sp.Name+name] = main
			for i, text := range parts {
				all[sp.Name+name+" "+sp.lift[i].field] = text
			}
		}
	}
	var pulsed []spec
	for _, sp := range specs() {
		if pulsing(sp) || small(sp) {
			pulsed = append(pulsed, sp)
		}
	}
	all["pulse"] = pulseDocument(l, pulsed).String()
	all["metaobjects together"] = together(l["metaobjects"], []string{"a", `b"`}).String()
	return all
}

// connections finds the connections below objects of a named type, with the
// path from it.
func connections(sel []*selection, base string, along []*selection) map[string][]*selection {
	out := map[string][]*selection{}
	for _, s := range sel {
		next := append(slices.Clone(along), s)
		if s.name == "" {
			b, path := base, next
			if base == "" {
				b, path = s.on, nil
			}
			for k, v := range connections(s.sel, b, path) {
				out[k] = v
			}
			continue
		}
		if n := s.nodes(); n != nil {
			if base != "" {
				out[base+" "+s.name] = next
			}
			continue
		}
		for k, v := range connections(s.sel, base, next) {
			out[k] = v
		}
	}
	return out
}

// TestOperations holds every operation to the official schema, and those for
// bulk operations to their limits too.
func TestOperations(t *testing.T) {
	t.Parallel()
	s, all := schema(t), everyOperation(t)
	shop := startFake(t)
	for name, text := range all {
		if _, err := gqlparser.LoadQueryWithRules(s, text, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(name, " bulk") {
			if why := shop.RefusesBulk(text); why != "" {
				t.Errorf("%s: %s", name, why)
			}
		}
		if strings.HasSuffix(name, " many") {
			if why := shop.RefusesBulkMutation(text); why != "" {
				t.Errorf("%s: %s", name, why)
			}
		}
	}
	if len(all) < 170 {
		t.Errorf("only %d operations", len(all))
	}
}

func startFake(t *testing.T) *fake.Shop {
	t.Helper()
	shop, err := fake.Start(fake.Options{Reader: reader(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shop.Close)
	return shop
}

// TestScopes holds the rights that each kind is said to need to those that its
// operation needs by the official description.
func TestScopes(t *testing.T) {
	t.Parallel()
	shop, l := startFake(t), mustLibrary(t)
	for _, sp := range specs() {
		owned := map[string]bool{}
		for _, r := range sp.Read {
			owned[r] = true
		}
		texts := []string{l[sp.list].String()}
		if sp.Name == kindOrders {
			texts = append(texts, l["order_details"].String(), l["order_returns"].String())
		}
		if sp.Name == kindThemeFiles {
			texts = append(texts, l["theme_bodies"].String())
		}
		for _, text := range texts {
			doc, err := shop.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			for field, needs := range shop.Needs(doc) {
				if !slices.ContainsFunc(needs, func(n string) bool { return has(owned, n) }) {
					t.Errorf("%s asks for %s, which needs one of %v; it has %v", sp.Name, field, needs, sp.Read)
				}
			}
		}
	}
}

// TestMutationScopes holds the rights for restoring to what mutations need.
func TestMutationScopes(t *testing.T) {
	t.Parallel()
	shop := startFake(t)
	owned := map[string]bool{}
	for _, sp := range specs() {
		for _, w := range append(slices.Clone(sp.Write), sp.Read...) {
			owned[w] = true
		}
	}
	for name, d := range mustLibrary(t) {
		if d.kind != "mutation" {
			continue
		}
		needs := shop.Required("Mutation." + d.root[0].name)
		if len(needs) > 0 && !slices.ContainsFunc(needs, func(n string) bool { return has(owned, n) }) {
			t.Errorf("%s needs one of %v, which no kind names", name, needs)
		}
	}
}
