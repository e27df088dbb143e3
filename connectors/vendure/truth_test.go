package vendure_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/vendure"
)

// An answer that is none is never a deletion: the kind is not captured, what was
// known of it stays, and the reason is told.
func TestEngine_Capture_truth(t *testing.T) {
	t.Parallel()
	answer := func(status int, typ, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", typ)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const typ = "application/json; charset=utf-8"
	refusal := func(code string) string {
		return `{"errors":[{"message":"…","path":["facets"],"extensions":{"code":"` + code + `"}}],"data":null}`
	}
	tests := map[string]struct {
		with   func(http.ResponseWriter)
		tamper func(body string) string
		want   app.Code
	}{
		"forbidden":         {with: answer(200, typ, refusal("FORBIDDEN")), want: app.CodeShopScope},
		"an error inside":   {with: answer(200, typ, refusal("INTERNAL_SERVER_ERROR")), want: app.CodeShopAnswer},
		"not its language":  {with: answer(400, typ, `{"errors":[{"message":"Cannot query field \"x\" on type \"Facet\".","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`), want: app.CodeShopAnswer},
		"errors with data":  {tamper: func(s string) string { return strings.TrimSuffix(s, "}") + `,"errors":[{"message":"x"}]}` }, want: app.CodeShopAnswer},
		"403 of a firewall": {with: answer(403, "text/html", "<html>Blocked</html>"), want: app.CodeShopAnswer},
		"401 of a proxy":    {with: answer(401, "text/html", "<html>Who?</html>"), want: app.CodeShopAnswer},
		"500":               {with: answer(500, "text/html", "<html>Fel</html>"), want: app.CodeShopAnswer},
		"502":               {with: answer(502, "text/plain", ""), want: app.CodeShopAnswer},
		"a page":            {with: answer(200, "text/html", "<!DOCTYPE html><html>Underhåll</html>"), want: app.CodeShopAnswer},
		"nothing":           {with: answer(200, typ, ""), want: app.CodeShopAnswer},
		"no data":           {with: answer(200, typ, `{"data":null}`), want: app.CodeShopAnswer},
		"no list":           {with: answer(200, typ, `{"data":{}}`), want: app.CodeShopAnswer},
		"a list of nothing": {with: answer(200, typ, `{"data":{"facets":{"totalItems":0,"items":null},"customers":{"totalItems":0}}}`), want: app.CodeShopAnswer},
		"no count":          {with: answer(200, typ, `{"data":{"facets":{"items":[]},"customers":{"items":[]}}}`), want: app.CodeShopAnswer},
		"another shape":     {with: answer(200, typ, `{"data":{"facets":["a"],"customers":7}}`), want: app.CodeShopAnswer},
		"without an id":     {with: answer(200, typ, `{"data":{"facets":{"totalItems":1,"items":[{}]},"customers":{"totalItems":1,"items":[{"id":null}]}}}`), want: app.CodeShopAnswer},
		"cut off":           {tamper: func(s string) string { return s[:len(s)/2] }, want: app.CodeShopAnswer},
		"a short list":      {tamper: func(s string) string { return strings.Replace(s, `"totalItems":12`, `"totalItems":500`, 1) }, want: app.CodeShopAnswer},
		"none of all":       {with: answer(200, typ, `{"data":{"facets":{"totalItems":0,"items":[]},"customers":{"totalItems":0,"items":[]}}}`), want: app.CodeShopShrunk},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			b := newBench(t, f.URL, owner, password)
			if _, problems := b.point(); len(problems) > 0 {
				t.Fatalf("problems %v", problems)
			}
			b.clock.pass(14 * time.Hour)
			bad := func(list string) bool { return list == "facets" || list == "customers" }
			f.do(func() {
				if tt.with != nil {
					f.fault = func(w http.ResponseWriter, list string) bool {
						if bad(list) {
							tt.with(w)
						}
						return bad(list)
					}
				}
				f.tamper = func(list string, _ int, body string) string {
					if bad(list) && tt.tamper != nil {
						return tt.tamper(body)
					}
					return body
				}
			})
			after, problems := b.point()
			for _, kind := range []string{"facets", "customers"} {
				if n := len(in(t, after, kind)); n != 12 || problems[kind+".missing"] != tt.want {
					t.Errorf("%s: %d records, problem %q, want %q", kind, n, problems[kind+".missing"], tt.want)
				}
			}
			if len(problems) != 2 {
				t.Errorf("problems %v", problems)
			}
			if b.idle() {
				t.Error("a capture that lacks something is idle")
			}
			f.do(func() { f.fault, f.tamper = nil, nil })
			b.clock.pass(24 * time.Hour)
			if after, problems = b.point(); len(problems) > 0 || len(in(t, after, "customers")) != 12 {
				t.Errorf("not well again: %v", problems)
			}
		})
	}
}

func TestEngine_Capture_redacted(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b := newBench(t, f.URL, owner, password)
	b.point()
	b.clock.pass(14 * time.Hour)
	f.do(func() { f.lists["customers"][0]["emailAddress"] = "k***@example.com" })
	point, problems := b.point()
	if problems["customers.missing"] != app.CodeShopRedacted || in(t, point, "customers")["1"]["emailAddress"] != "kund0@example.com" {
		t.Errorf("problems %v", problems)
	}
}

// What is deleted is noticed at night; what changes under an old date too.
func TestEngine_Capture_night(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b := newBench(t, f.URL, owner, password)
	b.point()
	f.drop("customers", "3")
	f.do(func() { f.lists["customers"][0]["addresses"] = []any{record{"id": "1", "streetLine1": "Nya gatan 1"}} })
	b.clock.pass(15 * time.Minute)
	if !b.idle() {
		t.Error("the fake told of what Vendure doesn't tell")
	}
	b.clock.pass(14 * time.Hour)
	point, problems := b.point()
	if got := in(t, point, "customers"); len(got) != 11 || len(problems) > 0 || !strings.Contains(fmt.Sprint(got["1"]), "Nya gatan") {
		t.Errorf("%d customers, problems %v", len(got), problems)
	}
}

// Records deleted and made while a list is read shift those after them: none is
// missed.
func TestEngine_Capture_shifting(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for i := range 450 {
		f.add("products", record{"id": strconv.Itoa(i + 1), "slug": fmt.Sprintf("p%d", i), "translations": []any{}})
	}
	pages := 0
	f.do(func() {
		f.tamper = func(list string, skip int, body string) string {
			if list == "products" && pages < 3 {
				// the lock is held: this is between two answers
				f.lists[list] = append(f.lists[list][:pages*10], f.lists[list][pages*10+120:]...)
				f.lists[list] = append(f.lists[list], record{"id": strconv.Itoa(1000 + pages), "slug": fmt.Sprint("ny", pages), "createdAt": dated, "updatedAt": dated})
				pages++
			}
			return body
		}
	})
	b := newBench(t, f.URL, owner, password)
	point, problems := b.point()
	got := in(t, point, "products")
	if len(problems) > 0 || pages != 3 {
		t.Errorf("problems %v, %d pages", problems, pages)
	}
	for _, r := range f.lists["products"] {
		if got[r["id"].(string)] == nil {
			t.Errorf("product %v was missed", r["id"])
		}
	}
}

// A session that ends is opened anew, one session serves many captures, and a
// shop that only gives cookies is open too.
func TestEngine_Capture_session(t *testing.T) {
	t.Parallel()
	for _, cookies := range []bool{false, true} {
		f := newFake(t)
		f.cookies = cookies
		b := newBench(t, f.URL, owner, password)
		b.point()
		b.clock.pass(time.Hour)
		b.point()
		if f.logins != 1 {
			t.Errorf("%d logins", f.logins)
		}
		b.clock.pass(14 * time.Hour)
		f.do(func() {
			f.tamper = func(list string, _ int, body string) string {
				if list == "customers" && f.logins == 1 {
					clear(f.tokens)
				}
				return body
			}
		})
		if point, problems := b.point(); len(problems) > 0 || len(in(t, point, "customers")) != 12 || f.logins != 2 {
			t.Errorf("problems %v, %d logins", problems, f.logins)
		}
		f.do(func() { clear(f.tokens); f.secret = "nytt" })
		if _, err := b.e.Capture(t.Context(), b.access, ""); app.CodeOf(err) != app.CodeSourceDenied {
			t.Errorf("a password that was changed: %v", err)
		}
	}
}

// A login that is refused, an address of nothing, and settings that can't be.
func TestEngine_Check_refused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	odd := newFake(t)
	odd.fault = func(w http.ResponseWriter, _ string) bool { w.WriteHeader(http.StatusNotFound); return true }
	tests := map[string]struct {
		url, user, password string
		want                app.Code
	}{
		"right":              {f.URL, owner, password, ""},
		"its page":           {f.URL + "/dashboard/catalog/products", owner, password, ""},
		"its older page":     {f.URL + "/admin/", owner, password, ""},
		"the API":            {f.URL + "/admin-api", owner, password, ""},
		"wrong password":     {f.URL, owner, "fel", app.CodeSourceDenied},
		"no password":        {f.URL, owner, "", app.CodeSecretMissing},
		"no user":            {f.URL, "", password, app.CodeSecretMissing},
		"another page":       {f.URL + "/blogg", owner, password, app.CodeSourceGone},
		"gone after the log": {odd.URL, owner, password, app.CodeSourceGone},
		"nothing there":      {"http://127.0.0.1:1", owner, password, app.CodeSourceOffline},
		"not encrypted":      {"http://butik.example", owner, password, app.CodeSourcePlain},
		"no address":         {"butik butik", owner, password, app.CodeUsage},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tt.url, tt.user, tt.password)
			if tt.password == "" {
				b.access.Secrets = nil
			}
			_, err := b.e.Check(t.Context(), b.access)
			if got := app.CodeOf(err); got != tt.want {
				t.Errorf("%q, want %q: %v", got, tt.want, err)
			}
			if err != nil && tt.password != "" && strings.Contains(err.Error(), tt.password) {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

// A record that looks like one that is gone, and is another of the point, does
// not stand for it.
func TestEngine_Plan_twins(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for _, id := range []string{"1", "2", "3"} {
		f.add("productOptions", record{"id": id, "groupId": "1", "code": "s", "translations": []any{}})
	}
	b := newBench(t, f.URL, owner, password)
	point, _ := b.point()
	f.drop("productOptions", "1")
	b.clock.pass(14 * time.Hour)
	b.point()
	if plan := b.plan(point, "options"); plan.Create != 1 || plan.Overwrite != 0 {
		t.Errorf("plan %+v", plan)
	}
}

func TestPlatform_words(t *testing.T) {
	t.Parallel()
	for _, l := range []string{"sv", "en"} {
		words := map[string]string{}
		for _, area := range []string{"shop", "vendure"} {
			text, err := os.ReadFile(fmt.Sprintf("../../assets/lang/%s.%s.json", area, l))
			if err == nil {
				err = json.Unmarshal(text, &words)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		p := &vendure.Platform{}
		seen := map[string]bool{"media": true}
		for _, k := range p.Kinds() {
			for _, key := range []string{"shop.kind." + k.Name, "shop.changes." + string(k.Changes), "shop.restore." + string(k.Restore)} {
				if words[key] == "" {
					t.Errorf("%s has no words for %s", l, key)
				}
			}
			if seen[k.Name] {
				t.Errorf("%s comes twice, or may not be", k.Name)
			}
			if seen[k.Name] = true; k.Parent != "" && !seen[k.Parent] {
				t.Errorf("%s comes before its parent", k.Name)
			}
			for _, r := range k.Refs {
				if r.Kind == k.Name {
					continue
				}
				for _, other := range p.Kinds() {
					if other.Name == r.Kind && other.Order >= k.Order {
						t.Errorf("%s is put back before %s, which it names", k.Name, r.Kind)
					}
				}
			}
		}
		for _, f := range p.Spec().Fields {
			if words["source.vendure.field."+f.Key] == "" || words["source.vendure.field."+f.Key+".hint"] == "" {
				t.Errorf("%s has no words for the field %s", l, f.Key)
			}
		}
	}
}
