package woo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// shown is a record as an answer has it.
func (s *Shop) shown(kind string, row Record, q url.Values) Record {
	out := maps.Clone(row)
	for f := range out {
		if strings.HasPrefix(f, "_") {
			delete(out, f)
		}
	}
	switch kind {
	case "products":
		s.showProduct(row, out)
	case "tax_classes":
		delete(out, "id")
	case "orders":
		if out["number"] == "" {
			out["number"] = strings.TrimSuffix(strings.TrimSpace(formatID(row["id"])), ".0")
		}
	}
	if kind == "categories" || kind == "tags" {
		n := 0
		for _, p := range s.kinds["products"].rows {
			list, _ := p[kind].([]any)
			if slices.ContainsFunc(list, func(c any) bool { return num(c.(Record)["id"]) == num(row["id"]) }) {
				n++
			}
		}
		out["count"] = n
	}
	if resources()[kind].wp && q != nil && q.Get("context") != "edit" {
		public(out)
	}
	out["_links"] = Record{"self": []any{Record{"href": s.URL + "/wp-json/" + kind + "/" + formatID(row["id"])}}}
	return fieldsOf(out, q)
}

// public takes out what WordPress shows only to those who may edit.
func public(out Record) {
	delete(out, "password")
	for f, v := range out {
		m, ok := v.(Record)
		if !ok || m["rendered"] == nil {
			continue
		}
		m = maps.Clone(m)
		delete(m, "raw")
		delete(m, "block_version")
		out[f] = m
	}
}

// showProduct fills in what the shop works out or draws.
func (s *Shop) showProduct(row, out Record) {
	id := num(row["id"])
	if row["type"] == "variable" {
		list := []any{}
		for _, v := range s.below[id] {
			r := s.kinds["variations"].rows[v]
			if r != nil && r["status"] != "trash" {
				list = append(list, float64(v))
			}
		}
		out["variations"] = list
	}
	out["price"] = row["regular_price"]
	if sale, _ := row["sale_price"].(string); sale != "" {
		out["price"] = sale
	}
	out["related_ids"] = []any{float64(len(s.requests)%7 + 1)} // at random, as WooCommerce does
	for _, rel := range []string{"categories", "tags", "brands"} {
		list, _ := row[rel].([]any)
		filled := make([]any, 0, len(list))
		for _, c := range list {
			if of := s.kinds[rel].rows[num(c.(Record)["id"])]; of != nil {
				filled = append(filled, Record{"id": of["id"], "name": of["name"], "slug": of["slug"]})
			}
		}
		out[rel] = filled
	}
}

func fieldsOf(row Record, q url.Values) Record {
	want := q.Get("_fields")
	if want == "" {
		return row
	}
	out := Record{}
	for f := range strings.SplitSeq(want, ",") {
		if v, ok := row[f]; ok {
			out[f] = v
		}
	}
	return out
}

// signed reports whether a request carries the right OAuth 1.0a signature.
func signed(r *http.Request, secret string) bool {
	q := r.URL.Query()
	given := q.Get("oauth_signature")
	q.Del("oauth_signature")
	var params []string
	for k, vs := range q {
		for _, v := range vs {
			params = append(params, escape(k)+"="+escape(v))
		}
	}
	slices.Sort(params)
	text := r.Method + "&" + escape("http://"+r.Host+r.URL.EscapedPath()) + "&" + escape(strings.Join(params, "&"))
	mac := hmac.New(sha256.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return given == base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
