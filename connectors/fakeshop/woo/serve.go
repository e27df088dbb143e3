package woo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ServeHTTP implements [http.Handler].
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/wp-content/uploads/"); ok {
		s.serveFile(w, name)
		return
	}
	path, ok := s.route(r)
	if !ok {
		http.Error(w, "<!DOCTYPE html><html><body>Sidan finns inte</body></html>", http.StatusNotFound)
		return
	}
	s.mu.Lock()
	line := r.Method + " " + path
	if r.URL.RawQuery != "" {
		line += "?" + r.URL.RawQuery
	}
	s.requests = append(s.requests, line)
	fault, tamper := s.Fault, s.Tamper
	s.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	rec := httptest.NewRecorder()
	s.mu.Lock()
	s.answer(rec, r, path)
	s.mu.Unlock()
	body := rec.Body.Bytes()
	h := w.Header()
	for k, v := range rec.Header() {
		h[k] = v
	}
	if tamper != nil {
		body = tamper(r, rec.Code, h, body)
	}
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Date", s.Now().UTC().Format(http.TimeFormat))
	h.Set("Link", `<`+s.URL+`/wp-json/>; rel="https://api.w.org/"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body) // who asked may be gone
}

// route finds the path below /wp-json, wherever it stands.
func (s *Shop) route(r *http.Request) (string, bool) {
	if p := r.URL.Query().Get("rest_route"); p != "" {
		return strings.Trim(p, "/"), true
	}
	p, ok := strings.CutPrefix(r.URL.Path, "/wp-json")
	return strings.Trim(p, "/"), ok && !s.Plain
}

func (s *Shop) serveFile(w http.ResponseWriter, name string) {
	s.mu.Lock()
	content, ok := s.files[name]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, nil)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // who asked may be gone
}

// refuse answers as WordPress does when it won't.
func refuse(w http.ResponseWriter, status int, code, message string) {
	send(w, status, Record{"code": code, "message": message, "data": Record{"status": status}})
}

func send(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // records are made of JSON
	}
}

// access is what the credentials of a request allow.
type access struct{ wc, wp, write bool }

func (s *Shop) access(r *http.Request) access {
	user, pass, _ := r.BasicAuth()
	if user == User && strings.ReplaceAll(pass, " ", "") == strings.ReplaceAll(Password, " ", "") {
		return access{wc: true, wp: true, write: true}
	}
	for _, k := range []struct {
		key, secret string
		write       bool
	}{{Key, Secret, true}, {ReadKey, ReadSign, false}} {
		// unencrypted, a key is taken only as a signature
		plain := r.TLS == nil && r.URL.Query().Get("oauth_consumer_key") == k.key && signed(r, k.secret)
		if plain || r.TLS != nil && user == k.key && pass == k.secret {
			return access{wc: true, write: k.write}
		}
	}
	return access{}
}

// answer answers one request.
func (s *Shop) answer(w http.ResponseWriter, r *http.Request, path string) {
	if path == "" {
		send(w, http.StatusOK, fieldsOf(Record{
			"name": shopTitle, "url": s.URL, "gmt_offset": "0", "namespaces": []string{"oembed/1.0", "wc/v3", "wp/v2"}, "routes": Record{},
			"authentication": s.authentication(),
		}, r.URL.Query()))
		return
	}
	if s.forbidden(w, r, path) || s.special(w, r, path) {
		return
	}
	t, ok := s.resolve(path)
	if !ok {
		refuse(w, http.StatusNotFound, "rest_no_route", "No route was found matching the URL and request method.")
		return
	}
	s.resource(w, r, t)
}

// forbidden refuses what the credentials don't allow; it reports whether it did.
func (s *Shop) forbidden(w http.ResponseWriter, r *http.Request, path string) bool {
	a, write := s.access(r), r.Method != http.MethodGet
	if slices.ContainsFunc(s.Denied, func(p string) bool { return strings.HasPrefix(path, p) }) {
		a = access{}
	}
	if strings.HasPrefix(path, "wp/") {
		if a.wp || !write && r.URL.Query().Get("context") != "edit" {
			return false
		}
		refuse(w, http.StatusUnauthorized, "rest_forbidden_context", "Sorry, you are not allowed to edit posts in this post type.")
		return true
	}
	switch {
	case !a.wc && !write:
		refuse(w, http.StatusUnauthorized, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
	case !a.wc:
		refuse(w, http.StatusUnauthorized, "woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource.")
	case write && !a.write:
		refuse(w, http.StatusUnauthorized, "woocommerce_rest_authentication_error", "The API key provided does not have write permissions.")
	default:
		return false
	}
	return true
}

// resource answers for the records of a kind.
func (s *Shop) resource(w http.ResponseWriter, r *http.Request, t target) {
	if t.res.below != "" && !t.all && s.kinds[t.res.below].rows[t.parent] == nil && (t.parent != 0 || t.res.below != "shipping_zones") {
		refuse(w, http.StatusNotFound, "woocommerce_rest_"+resources()[t.res.below].noun+"_invalid_id", "Invalid ID.")
		return
	}
	if t.id != "" && !t.batch {
		s.single(w, r, t)
		return
	}
	switch {
	case r.Method == http.MethodGet:
		s.list(w, r.URL.Query(), t)
	case t.kind == "media":
		s.upload(w, r)
	default:
		body, ok := content(w, r)
		switch {
		case !ok:
		case t.batch:
			s.batch(w, t, body)
		default:
			sendOutcome(w, http.StatusCreated, s.create(t, body))
		}
	}
}

// content reads the body of a request, and refuses what is no JSON.
func content(w http.ResponseWriter, r *http.Request) (body Record, ok bool) {
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, "rest_invalid_json", "Invalid JSON body passed.")
		return nil, false
	}
	return body, true
}

// single answers for one record.
func (s *Shop) single(w http.ResponseWriter, r *http.Request, t target) {
	switch r.Method {
	case http.MethodGet:
		row, status := s.one(t)
		if row == nil {
			sendOutcome(w, status, failure(status, "woocommerce_rest_"+t.res.noun+"_invalid_id", "Invalid ID."))
			return
		}
		send(w, http.StatusOK, s.shown(t.kind, row, r.URL.Query()))
	case http.MethodDelete:
		sendOutcome(w, http.StatusOK, s.remove(t, t.id, r.URL.Query().Get("force") == "true"))
	default:
		if body, ok := content(w, r); ok {
			sendOutcome(w, http.StatusOK, s.update(t, t.id, body))
		}
	}
}

func (s *Shop) one(t target) (Record, int) {
	row := s.kinds[t.kind].rows[s.idOf(t, t.id)]
	if row == nil || t.res.below != "" && !t.all && num(row[t.res.field]) != t.parent {
		return nil, http.StatusNotFound
	}
	return row, http.StatusOK
}

// idOf is the number of a record; tax classes are called by their names.
func (s *Shop) idOf(t target, id string) int64 {
	if t.kind == "tax_classes" {
		for n, row := range s.kinds[t.kind].rows {
			if row["slug"] == id {
				return n
			}
		}
		return 0
	}
	return num(id)
}

// outcome is a record, or why there is none.
type outcome struct {
	record Record
	status int
	code   string
	text   string
	data   Record
}

func failure(status int, code, text string) outcome {
	return outcome{status: status, code: code, text: text}
}

func (o outcome) failed() bool { return o.code != "" }

func (o outcome) body() Record {
	data := Record{"status": o.status}
	for k, v := range o.data {
		data[k] = v
	}
	return Record{"code": o.code, "message": o.text, "data": data}
}

func sendOutcome(w http.ResponseWriter, status int, o outcome) {
	if o.failed() {
		send(w, o.status, o.body())
		return
	}
	send(w, status, o.record)
}

// list answers with a page of records.
func (s *Shop) list(w http.ResponseWriter, q url.Values, t target) {
	per := intOr(q.Get("per_page"), 10)
	if per < 1 || per > 100 {
		o := failure(http.StatusBadRequest, "rest_invalid_param", "Invalid parameter(s): per_page")
		o.data = Record{"params": Record{"per_page": "per_page must be between 1 (inclusive) and 100 (inclusive)"}}
		sendOutcome(w, o.status, o)
		return
	}
	ids := s.matching(q, t)
	total := len(ids)
	if !t.res.whole {
		start := intOr(q.Get("offset"), (intOr(q.Get("page"), 1)-1)*per)
		ids = ids[min(start, total):min(start+per, total)]
	}
	if !t.res.bare {
		w.Header().Set("X-WP-Total", strconv.Itoa(total))
		w.Header().Set("X-WP-TotalPages", strconv.Itoa((total+per-1)/per))
	}
	out := make([]Record, 0, len(ids))
	for _, id := range ids {
		out = append(out, s.shown(t.kind, s.kinds[t.kind].rows[id], q))
	}
	send(w, http.StatusOK, out)
}

func intOr(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

// matching lists the ids a query asks for, in its order.
func (s *Shop) matching(q url.Values, t target) []int64 {
	table := s.kinds[t.kind]
	var include map[int64]bool
	if text := q.Get("include"); text != "" {
		include = map[int64]bool{}
		for id := range strings.SplitSeq(text, ",") {
			include[num(id)] = true
		}
	}
	var ids []int64
	for _, id := range table.order {
		if (include == nil || include[id]) && s.fits(table.rows[id], q, t) {
			ids = append(ids, id)
		}
	}
	switch by := q.Get("orderby"); {
	case by == "" && t.res.dated || by == "date" || by == "registered_date":
		slices.SortStableFunc(ids, func(a, b int64) int {
			return strings.Compare(fmt.Sprint(table.rows[a]["date_created_gmt"]), fmt.Sprint(table.rows[b]["date_created_gmt"]))
		})
		if q.Get("order") != "asc" {
			slices.Reverse(ids)
		}
	case by == "id" && q.Get("order") == "desc":
		slices.Reverse(ids)
	}
	return ids
}

func (s *Shop) fits(row Record, q url.Values, t target) bool {
	if t.res.below != "" && !t.all && num(row[t.res.field]) != t.parent {
		return false
	}
	status := q.Get("status")
	trashed := row["status"] == "trash"
	if t.res.trash && (trashed != (status == "trash")) {
		return false
	}
	if k := q.Get("type"); k != "" && row["type"] != k {
		return false
	}
	if since := q.Get("modified_after"); since != "" && t.res.dated && !s.Old {
		at, _ := row["date_modified_gmt"].(string)
		if wp, ok := row["modified_gmt"].(string); ok {
			at = wp
		}
		if at <= since {
			return false
		}
	}
	if since := q.Get("after"); since != "" {
		if at, ok := row["date_created_gmt"].(string); ok && at <= since {
			return false
		}
	}
	return true
}
