package vendure_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fake answers as Vendure 3.7.3 does, of what is put into its lists.
type fake struct {
	URL string

	mu      sync.Mutex
	lists   map[string][]record // by the question that lists them
	tokens  map[string]bool
	logins  int
	asked   int
	secret  string
	cookies bool // instead of tokens
	// fault answers in the fake's place where it returns true.
	fault func(w http.ResponseWriter, list string) bool
	// tamper changes an answer about a list.
	tamper func(list string, skip int, body string) string
}

const dated = "2026-11-01T10:00:00.000Z"

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{lists: map[string][]record{}, tokens: map[string]bool{}, secret: password}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.URL = s.URL
	for i := range 12 {
		f.add("facets", record{"id": strconv.Itoa(i + 1), "code": fmt.Sprintf("f%d", i), "isPrivate": false, "translations": []any{}})
		f.add("customers", record{"id": strconv.Itoa(i + 1), "emailAddress": fmt.Sprintf("kund%d@example.com", i), "firstName": "Åsa", "lastName": "Öst", "groups": []any{}, "addresses": []any{}})
	}
	return f
}

func (f *fake) add(list string, r record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r["createdAt"], r["updatedAt"] = dated, dated
	f.lists[list] = append(f.lists[list], r)
}

func (f *fake) drop(list string, ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists[list] = slices.DeleteFunc(slices.Clone(f.lists[list]), func(r record) bool { return slices.Contains(ids, r["id"].(string)) })
}

// do changes the fake.
func (f *fake) do(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
}

var listName = regexp.MustCompile(`\{ (\w+)\(options`)

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Query     string
		Variables struct {
			User, Password string
			Options        struct {
				Skip, Take int
				Filter     struct {
					ID        struct{ In []string }
					UpdatedAt struct{ After string }
					Code      struct{ Eq string }
				}
			}
		}
	}
	if r.URL.Path != "/admin-api" || json.NewDecoder(r.Body).Decode(&q) != nil {
		http.Error(w, "<html>Not found</html>", http.StatusNotFound)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if strings.Contains(q.Query, "mutation Login") {
		f.login(w, q.Variables.User, q.Variables.Password)
		return
	}
	list := "look"
	if m := listName.FindStringSubmatch(q.Query); m != nil {
		list = m[1]
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if c, err := r.Cookie("session"); err == nil {
		token = c.Value
	}
	if !f.tokens[token] {
		f.forbid(w, list)
		return
	}
	if f.fault != nil && f.fault(w, list) {
		return
	}
	if list == "look" {
		const settings = `{"data":{"globalSettings":{"id":"1","updatedAt":"` + dated + `","availableLanguages":["en"],"serverConfig":{"entityCustomFields":[]}},"updateProducts":[]}}`
		_, _ = w.Write([]byte(settings))
		return
	}
	o := q.Variables.Options
	items := slices.DeleteFunc(slices.Clone(f.lists[list]), func(r record) bool {
		in := o.Filter.ID.In
		return in != nil && !slices.Contains(in, r["id"].(string)) || o.Filter.UpdatedAt.After > r["updatedAt"].(string) ||
			o.Filter.Code.Eq != "" && o.Filter.Code.Eq != r["code"]
	})
	slices.SortFunc(items, func(a, b record) int {
		x, z := a["id"].(string), b["id"].(string)
		return cmp.Or(len(x)-len(z), strings.Compare(x, z))
	})
	total := len(items)
	items = items[min(o.Skip, total):]
	items = items[:min(o.Take, len(items))]
	text, _ := json.Marshal(record{"data": record{list: record{"totalItems": total, "items": append([]record{}, items...)}}})
	if f.tamper != nil {
		text = []byte(f.tamper(list, o.Skip, string(text)))
	}
	_, _ = w.Write(text)
}

func (f *fake) login(w http.ResponseWriter, user, secret string) {
	f.logins++
	if user != owner || secret != f.secret {
		_, _ = w.Write([]byte(`{"data":{"login":{"__typename":"InvalidCredentialsError","errorCode":"INVALID_CREDENTIALS_ERROR"}}}`))
		return
	}
	token := fmt.Sprintf("token%d", f.logins)
	f.tokens[token] = true
	if f.cookies {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: token})
	} else {
		w.Header().Set("vendure-auth-token", token)
	}
	_, _ = w.Write([]byte(`{"data":{"login":{"__typename":"CurrentUser","id":"1"}}}`))
}

func (f *fake) forbid(w http.ResponseWriter, list string) {
	_, _ = fmt.Fprintf(w, `{"errors":[{"message":"You are not currently authorized to perform this action","locations":[{"line":1,"column":2}],"path":[%q],"extensions":{"code":"FORBIDDEN"}}],"data":null}`, list)
}
