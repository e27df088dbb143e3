package shopify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"kvart/app"
	"kvart/connectors/rest"
)

// doer carries out one op and returns the id of the record in the shop.
type doer func(ctx context.Context, op rest.Op) (rest.Result, error)

// Apply implements [rest.Shop]. What the shop refuses of one record is that
// record's own failure; what it refuses altogether ends the work.
func (s *shop) Apply(ctx context.Context, k rest.Kind, ops []rest.Op) ([]rest.Result, error) {
	if k.Name == kindInventory {
		results, err := s.applyInventory(ctx, ops)
		return results, about(k, s.c.coded(ctx, err))
	}
	if k.Name == kindProducts || k.Name == kindCollections {
		if err := s.learnStates(ctx, k, ops); err != nil {
			return nil, about(k, s.c.coded(ctx, err))
		}
	}
	if k.Name == kindProducts {
		if err := s.learnFiles(ctx, ops); err != nil {
			return nil, about(k, s.c.coded(ctx, err))
		}
	}
	do := s.doer(k)
	if s.pays(k, ops) {
		results, err := s.together(ctx, ops, do)
		return results, about(k, s.c.coded(ctx, err))
	}
	results, err := s.each(ctx, ops, parallel, do)
	return results, about(k, s.c.coded(ctx, err))
}

// each carries out ops, so many at a time. It returns the results up to the first
// op that was not come to.
func (s *shop) each(ctx context.Context, ops []rest.Op, atOnce int, do doer) ([]rest.Result, error) {
	results := make([]rest.Result, len(ops))
	done := make([]bool, len(ops))
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, op := range ops {
		g.Go(func() error {
			res, err := do(ctx, op)
			if err != nil && !own(err) && (op.Do != rest.DoCreate || res.ID == "") {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			res.Err = err
			if res.ID == "" {
				res.ID = op.ID
			}
			results[i], done[i] = res, true
			if err != nil && !own(err) {
				return err // it was made, and is told, so that it is not made again
			}
			return nil
		})
	}
	err := g.Wait()
	for i, ok := range done {
		if !ok {
			return results[:i], err
		}
	}
	return results, err
}

// ownError is the refusal of one record.
type ownError struct{ err error }

func (e *ownError) Error() string { return e.err.Error() }
func (e *ownError) Unwrap() error { return e.err }

// own reports whether an error is about one record: others may fare better. It
// is sure then that nothing was written; an answer that got lost is another
// matter, and ends the work so that what was made is looked for first.
func own(err error) bool {
	var o *ownError
	var r *refusal
	if errors.As(err, &o) {
		return true
	}
	return errors.As(err, &r) && !r.has(codeInternal) && !r.has(codeTimeout) && app.CodeOf(err) == app.CodeShopAnswer
}

func refuse(format string, args ...any) error { return &ownError{fmt.Errorf(format, args...)} }

// mutate carries out a mutation and returns what its one field answers. What it
// complains about is an [ownError].
func (s *shop) mutate(ctx context.Context, name string, vars map[string]any) (map[string]any, error) {
	d, ok := s.l[name]
	if !ok {
		return nil, app.Errorf(app.CodeInternal, "shopify: write", "no operation is called %q", name)
	}
	got, done, err := gathered(ctx, name, vars)
	if !done {
		err = s.c.run(ctx, d, vars, &got)
	}
	if err != nil {
		return nil, err
	}
	answer, _ := got[d.root[0].key()].(map[string]any)
	if answer == nil {
		return nil, app.Errorf(app.CodeShopAnswer, "shopify: write", "%s answered nothing", name)
	}
	var said []userError
	for _, e := range listOf(answer["userErrors"]) {
		code, _ := e["code"].(string)
		message, _ := e["message"].(string)
		said = append(said, userError{Code: code, Message: message})
	}
	if err := userErrors(said); err != nil {
		return answer, &ownError{fmt.Errorf("%s: %w", name, err)}
	}
	return answer, s.c.settle(ctx, answer, d.root[0].sel, place{})
}

// madeID is the id of the object that a mutation answers with in a field.
func madeID(answer map[string]any, field string) string {
	o, _ := answer[field].(map[string]any)
	id, _ := o["id"].(string)
	return id
}

// doer chooses how records of a kind are written.
func (s *shop) doer(k rest.Kind) doer {
	switch k.Name {
	case kindProducts:
		return s.doProduct
	case kindCollections:
		return s.doCollection
	case kindFiles:
		return s.doFile
	case kindCustomers:
		return s.doCustomer
	case kindMetaobjects:
		return s.doMetaobject
	case kindMetafieldDefs, kindMetaobjDefs:
		return s.doDefinition(k.Name)
	case kindDiscounts:
		return s.doDiscount
	case kindMenus:
		return s.doMenu
	case kindTranslations:
		return s.doTranslation
	case kindOrders:
		return s.doOrder
	case kindPolicies, kindLocales, kindPriceLists:
		return s.doSetting(k.Name)
	}
	return s.doSimple(k.Name)
}

// simple is a kind whose input looks much like its record.
type simple struct {
	word   string   // in the names of the operations
	field  string   // of the answer
	fields []string // that go into the input as they are
	adjust func(record, input map[string]any)
}

func simples() map[string]simple {
	return map[string]simple{
		kindPages: {word: "page", field: "page", fields: []string{"handle", "title", "body", "templateSuffix", "isPublished", "publishedAt"}, adjust: published},
		kindBlogs: {word: "blog", field: "blog", fields: []string{"handle", "title", "templateSuffix", "commentPolicy"}},
		kindArticles: {word: "article", field: "article", fields: []string{"handle", "title", "body", "summary", "tags", "templateSuffix", "isPublished", "publishedAt"}, adjust: func(r, in map[string]any) {
			published(r, in)
			if b, ok := r["blog"].(map[string]any); ok {
				in["blogId"] = b["id"]
			}
			if a, ok := r["author"].(map[string]any); ok {
				in["author"] = map[string]any{"name": a["name"]}
			} else {
				in["author"] = map[string]any{"name": ""}
			}
		}},
		kindRedirects:   {word: "redirect", field: "urlRedirect", fields: []string{"path", "target"}},
		kindDraftOrders: {word: "draft_order", field: "draftOrder", fields: draftFields(), adjust: draftOrder},
	}
}

// published names the time as inputs do, and only for what is to be seen: for
// the rest it would mean "later".
func published(_, in map[string]any) {
	if at, ok := in["publishedAt"]; ok {
		delete(in, "publishedAt")
		if visible, _ := in["isPublished"].(bool); visible && at != nil {
			in["publishDate"] = at
		}
	}
	if in["publishDate"] != nil {
		delete(in, "isPublished") // the shop takes one or the other
	}
}

func (s *shop) doSimple(kind string) doer {
	how := simples()[kind]
	return func(ctx context.Context, op rest.Op) (rest.Result, error) {
		if op.Do == rest.DoDelete {
			return s.remove(ctx, how.word+"_delete", op)
		}
		in := pick(op.Record, how.fields...)
		if m := metafieldInputs(op.Record["metafields"]); len(m) > 0 && kind != kindRedirects && wanted(op, "metafields") {
			in["metafields"] = m
		}
		if how.adjust != nil {
			how.adjust(op.Record, in)
		}
		if kind == kindArticles && op.Do == rest.DoCreate {
			if err := s.articleImage(ctx, op, in); err != nil {
				return rest.Result{}, err
			}
		}
		if op.Do == rest.DoUpdate {
			onlyWanted(op, in)
			_, err := s.mutate(ctx, how.word+"_update", map[string]any{"id": op.ID, "input": in})
			return rest.Result{ID: op.ID}, err
		}
		answer, err := s.mutate(ctx, how.word+"_create", map[string]any{"input": in})
		return rest.Result{ID: madeID(answer, how.field)}, err
	}
}

// onlyWanted drops from an input what doesn't differ.
func onlyWanted(op rest.Op, in map[string]any) {
	called := map[string][]string{
		"note": {"note2"}, "purchasingEntity": {"customer"}, "blogId": {"blog"}, "publishDate": {"publishedAt", "isPublished"},
		"isPublished": {"publishedAt", "isPublished"}, "email": {"defaultEmailAddress", "email"}, "phone": {"defaultPhoneNumber", "phone"}, "addresses": {"addressesV2"},
	}
	for f := range in {
		names := called[f]
		if names == nil {
			names = []string{f}
		}
		if !wanted(op, names...) {
			delete(in, f)
		}
	}
}

// remove takes a record away. One that is gone already is no failure.
func (s *shop) remove(ctx context.Context, operation string, op rest.Op) (rest.Result, error) {
	_, err := s.mutate(ctx, operation, map[string]any{"id": op.ID})
	var refused *ownError
	if errors.As(err, &refused) {
		found, ferr := s.nodes(ctx, s.l["file_state"], []string{op.ID})
		if ferr == nil && found[op.ID] == nil {
			err = nil
		}
	}
	return rest.Result{ID: op.ID}, err
}

// wanted reports whether a field is among those to be written.
func wanted(op rest.Op, fields ...string) bool {
	if op.Fields == nil || op.Do == rest.DoCreate {
		return true
	}
	for _, f := range op.Fields {
		for _, w := range fields {
			if f == w {
				return true
			}
		}
	}
	return false
}

// pick copies fields that have a value.
func pick(m map[string]any, fields ...string) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		if v := m[f]; v != nil {
			out[f] = v
		}
	}
	return out
}

// pickNull copies fields, null where they have none: it empties them.
func pickNull(m map[string]any, fields ...string) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		if v, ok := m[f]; ok {
			out[f] = v
		}
	}
	return out
}

// metafieldInputs are metafields as inputs take them, but for those of other
// programs, which only those may write.
func metafieldInputs(v any) []any {
	var out []any
	for _, m := range listOf(v) {
		if ns, _ := m["namespace"].(string); len(ns) > 4 && ns[:4] == "app-" {
			continue
		}
		out = append(out, pick(m, "namespace", "key", "type", "value"))
	}
	return out
}

// metafieldsAtOnce is how many metafields one mutation takes.
const metafieldsAtOnce = 25

// setMetafields writes metafields of an owner that is there.
func (s *shop) setMetafields(ctx context.Context, owner string, metafields any) error {
	all := metafieldInputs(metafields)
	for len(all) > 0 {
		n := min(metafieldsAtOnce, len(all))
		for _, m := range all[:n] {
			if in, ok := m.(map[string]any); ok {
				in["ownerId"] = owner
			}
		}
		if _, err := s.mutate(ctx, "metafields_set", map[string]any{"metafields": all[:n]}); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// once is a key by which the shop knows a mutation that is sent twice.
func once() string { return rand.Text() }
