package woo

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const mostAtOnce = 100

func formatID(v any) string { return strconv.FormatInt(num(v), 10) }

// batch does several things at once.
func (s *Shop) batch(w http.ResponseWriter, t target, body Record) {
	lists := map[string][]any{}
	total := 0
	for _, do := range []string{"create", "update", "delete"} {
		lists[do], _ = body[do].([]any)
		total += len(lists[do])
	}
	if total > mostAtOnce {
		refuse(w, http.StatusRequestEntityTooLarge, "woocommerce_rest_request_entity_too_large", fmt.Sprintf("Unable to accept more than %d items for this request.", mostAtOnce))
		return
	}
	answer := Record{}
	for _, do := range []string{"create", "update", "delete"} {
		if len(lists[do]) == 0 {
			continue
		}
		var results []Record
		for _, el := range lists[do] {
			var o outcome
			id := formatID(el)
			switch do {
			case "create":
				o = s.create(t, el.(Record))
			case "update":
				m := el.(Record)
				id = formatID(m["id"])
				o = s.update(t, id, m)
			case "delete":
				o = s.remove(t, id, true)
				if o.failed() {
					o.status = http.StatusNotFound
				}
			}
			if o.failed() {
				results = append(results, Record{"id": num(id), "error": o.body()})
				continue
			}
			results = append(results, o.record)
		}
		answer[do] = results
	}
	send(w, http.StatusOK, answer)
}

var readOnly = map[string][]string{
	"orders":     {"number", "date_created", "date_created_gmt", "date_paid", "date_paid_gmt", "order_key", "created_via", "date_modified", "date_modified_gmt", "total"},
	"customers":  {"date_created", "date_created_gmt", "date_modified", "date_modified_gmt", "is_paying_customer", "avatar_url"},
	"products":   {"date_modified", "date_modified_gmt", "permalink", "price", "total_sales", "related_ids", "variations", "price_html"},
	"variations": {"date_modified", "date_modified_gmt", "permalink", "price"},
}

// create makes a record.
func (s *Shop) create(t target, body Record) outcome {
	if _, has := body["id"]; has {
		return failure(http.StatusBadRequest, "woocommerce_rest_"+t.res.noun+"_exists", "Cannot create existing "+t.res.noun+".")
	}
	if o := s.valid(t, 0, body); o.failed() {
		return o
	}
	fields := maps.Clone(body)
	for _, f := range readOnly[t.kind] {
		delete(fields, f)
	}
	if t.res.field != "" {
		fields[t.res.field] = float64(t.parent)
	}
	if _, ok := fields["slug"]; !ok || fields["slug"] == "" {
		if name, ok := body["name"].(string); ok && t.kind != "attributes" {
			fields["slug"] = slugOf(name)
		}
	}
	fields["meta_data"] = s.newMeta(nil, fields["meta_data"])
	if _, ok := s.template(t.kind)["meta_data"]; !ok {
		delete(fields, "meta_data")
	}
	id := s.add(t.kind, fields)
	row := s.kinds[t.kind].rows[id]
	s.after(t.kind, row)
	return outcome{record: s.shown(t.kind, row, nil)}
}

// after does what the shop does beside when a record was made.
func (s *Shop) after(kind string, row Record) {
	switch kind {
	case "products", "variations":
		// what is dated back was, to the shop, changed back then
		if at, ok := row["date_created_gmt"].(string); ok && at < s.Now().UTC().Format("2006-01-02T15:04:05") {
			row["date_modified"], row["date_modified_gmt"] = at, at
		}
		if kind == "variations" {
			s.touch("variations", row)
		}
	case "customers":
		if row["username"] == "" {
			row["username"], _, _ = strings.Cut(fmt.Sprint(row["email"]), "@")
		}
		s.mails++
	case "orders":
		s.mails++
		lines, _ := row["line_items"].([]any)
		for _, l := range lines {
			line := l.(Record)
			if p := s.kinds["products"].rows[num(line["product_id"])]; p != nil && p["manage_stock"] == true {
				p["stock_quantity"] = float64(num(p["stock_quantity"]) - num(line["quantity"]))
				s.touch("products", p)
			}
		}
	case "shipping_zone_methods":
		row["instance_id"] = row["id"]
	case "tax_classes":
		row["slug"] = slugOf(fmt.Sprint(row["name"]))
	}
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

func slugOf(name string) string {
	return strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
}

// valid refuses what WooCommerce refuses.
func (s *Shop) valid(t target, id int64, body Record) outcome {
	if o := s.fitsSchema(t, body); o.failed() {
		return o
	}
	switch {
	case t.kind == "products" || t.kind == "variations":
		if sku, _ := body["sku"].(string); sku != "" {
			return s.uniqueSKU(id, sku)
		}
	case t.kind == "customers":
		return s.validCustomer(id, body)
	case t.kind == "orders" && id == 0:
		lines, _ := body["line_items"].([]any)
		for _, l := range lines {
			if p := num(l.(Record)["product_id"]); s.kinds["products"].rows[p] == nil {
				return failure(http.StatusBadRequest, "woocommerce_rest_required_product_reference", "Product ID or SKU is required.")
			}
		}
	case t.res.noun == "term" && id == 0:
		return s.newTerm(t, body)
	}
	return outcome{}
}

// fitsSchema refuses values of the wrong sort. Several records at once are not
// held against the schema.
func (s *Shop) fitsSchema(t target, body Record) outcome {
	if t.batch {
		return outcome{}
	}
	usual := s.template(t.kind)
	for f, v := range body {
		if _, isNumber := usual[f].(float64); isNumber && v == nil {
			return failure(http.StatusBadRequest, "rest_invalid_param", "Invalid parameter(s): "+f)
		}
	}
	k, ok := body["type"].(string)
	if t.kind == "products" && ok && !slices.Contains([]string{"simple", "grouped", "external", "variable"}, k) {
		return failure(http.StatusBadRequest, "rest_invalid_param", "Invalid parameter(s): type")
	}
	return outcome{}
}

func (s *Shop) validCustomer(id int64, body Record) outcome {
	email, given := body["email"].(string)
	if id == 0 && email == "" {
		return failure(http.StatusBadRequest, "rest_missing_callback_param", "Missing parameter(s): email")
	}
	for other, row := range s.kinds["customers"].rows {
		if given && other != id && row["email"] == email {
			return failure(http.StatusBadRequest, "registration-error-email-exists", "An account is already registered with "+email+". Please log in or use a different email address.")
		}
	}
	return outcome{}
}

func (s *Shop) newTerm(t target, body Record) outcome {
	slug, _ := body["slug"].(string)
	if slug == "" {
		slug = slugOf(fmt.Sprint(body["name"]))
	}
	for other, row := range s.kinds[t.kind].rows {
		if row["slug"] == slug && (t.res.below == "" || num(row[t.res.field]) == t.parent) {
			o := failure(http.StatusBadRequest, "term_exists", "A term with the name provided already exists.")
			o.data = Record{"resource_id": other}
			return o
		}
	}
	return outcome{}
}

func (s *Shop) uniqueSKU(id int64, sku string) outcome {
	for _, kind := range []string{"products", "variations"} {
		for other, row := range s.kinds[kind].rows {
			if other != id && row["sku"] == sku && row["status"] != "trash" {
				o := failure(http.StatusBadRequest, "product_invalid_sku", "Invalid or duplicated SKU.")
				o.data = Record{"resource_id": other, "unique_sku": sku + "-1"}
				return o
			}
		}
	}
	return outcome{}
}

// update changes fields of a record.
func (s *Shop) update(t target, id string, body Record) outcome {
	n := s.idOf(t, id)
	row := s.kinds[t.kind].rows[n]
	if row == nil || t.res.below != "" && !t.all && num(row[t.res.field]) != t.parent {
		status := http.StatusBadRequest
		if t.res.noun == "term" || t.kind == "customers" {
			status = http.StatusNotFound
		}
		return failure(status, "woocommerce_rest_"+t.res.noun+"_invalid_id", "Invalid ID.")
	}
	if o := s.valid(t, n, body); o.failed() {
		return o
	}
	for f, v := range body {
		if f != "id" && !slices.Contains(readOnly[t.kind], f) {
			s.set(t, row, f, v)
		}
	}
	if was, _ := row["_was"].(string); was != "" && row["status"] != "trash" {
		delete(row, "_was")
		if slug, ok := row["slug"].(string); ok {
			row["slug"] = strings.TrimSuffix(slug, "__trashed")
		}
	}
	if len(body) > 0 {
		s.touch(t.kind, row)
	}
	return outcome{record: s.shown(t.kind, row, nil)}
}

// set sets one field in the way it is to be set.
func (s *Shop) set(t target, row Record, f string, v any) {
	switch {
	case f == "meta_data":
		row[f] = s.newMeta(row[f], v)
	case f == "settings":
		s.setSettings(row, v)
	case strings.HasPrefix(f, "date_") && v == "":
		row[f] = nil
	case t.res.wp && slices.Contains([]string{"title", "content", "excerpt", "caption", "description"}, f):
		row[f] = rendered(row[f], v)
	default:
		row[f] = v
	}
}

func rendered(old, v any) any {
	text, ok := v.(string)
	m, isMap := v.(Record)
	if isMap {
		text, ok = m["raw"].(string)
	}
	out, was := old.(Record)
	if !ok || !was {
		return v
	}
	out = maps.Clone(out)
	out["raw"], out["rendered"] = text, "<p>"+text+"</p>"
	return out
}

// setSettings takes plain values, as WooCommerce does, and nothing else.
func (s *Shop) setSettings(row Record, v any) {
	have, _ := row["settings"].(Record)
	want, _ := v.(Record)
	have = maps.Clone(have)
	for name, value := range want {
		if one, ok := have[name].(Record); ok {
			one = maps.Clone(one)
			one["value"] = value
			have[name] = one
		}
	}
	row["settings"] = have
}

// newMeta sets meta data by its keys.
func (s *Shop) newMeta(old, v any) any {
	have, _ := old.([]any)
	have = slices.Clone(have)
	want, _ := v.([]any)
	for _, el := range want {
		m, ok := el.(Record)
		if !ok {
			continue
		}
		at := slices.IndexFunc(have, func(h any) bool { return h.(Record)["key"] == m["key"] })
		if at < 0 {
			s.nextID++
			have = append(have, Record{"id": float64(s.nextID), "key": m["key"], "value": m["value"]})
			continue
		}
		one := maps.Clone(have[at].(Record))
		one["value"] = m["value"]
		have[at] = one
	}
	if have == nil {
		return []any{}
	}
	return have
}

// remove deletes a record, or puts it into the trash.
func (s *Shop) remove(t target, id string, force bool) outcome {
	n := s.idOf(t, id)
	row := s.kinds[t.kind].rows[n]
	if row == nil {
		return failure(http.StatusNotFound, "woocommerce_rest_"+t.res.noun+"_invalid_id", "Invalid ID.")
	}
	if !force && !t.res.trash {
		return failure(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported", "Resource does not support trashing.")
	}
	o := outcome{record: s.shown(t.kind, row, nil)}
	if force {
		s.purge(t.kind, n)
	} else {
		s.trash(t.kind, n)
	}
	return o
}

// upload takes a file into the library.
func (s *Shop) upload(w http.ResponseWriter, r *http.Request) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition"))
	body, readErr := io.ReadAll(r.Body)
	if err != nil || readErr != nil || params["filename"] == "" || len(body) == 0 {
		refuse(w, http.StatusBadRequest, "rest_upload_no_content_disposition", "No Content-Disposition supplied.")
		return
	}
	name := params["filename"]
	for s.files[name] != nil {
		name = "ny-" + name
	}
	s.files[name] = body
	slug, _, _ := strings.Cut(name, ".")
	id := s.add("media", Record{"slug": slug, "source_url": s.URL + "/wp-content/uploads/" + name})
	send(w, http.StatusCreated, s.shown("media", s.kinds["media"].rows[id], nil))
}
