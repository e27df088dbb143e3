package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kvart/app"
	"kvart/connectors/rest"
)

// Names in the meta data of what was made again.
const (
	originKey     = "_kvart_original_id"
	originNumber  = "_kvart_original_number"
	originCreated = "_kvart_original_date"
)

// Apply implements [rest.Shop].
func (s *shop) Apply(ctx context.Context, k rest.Kind, ops []rest.Op) ([]rest.Result, error) {
	so := s.sorts[k.Name]
	results := make([]rest.Result, 0, len(ops))
	if !so.batched() {
		for _, op := range ops {
			id, err := s.one(ctx, so, op)
			if !fatal(err) || halfMade(op, id) {
				results = append(results, rest.Result{ID: id, Err: err})
			}
			if fatal(err) {
				return results, err
			}
		}
		return results, nil
	}
	if n := s.AtOnce(k, ops); n > 0 && n == len(ops) {
		return s.together(ctx, so, s.requests(so, ops, aWrite))
	}
	return s.inOrder(ctx, so, s.requests(so, ops, perPage))
}

// halfMade reports whether a record was made although what followed failed: it is
// told, so that it is gone on with and not made again.
func halfMade(op rest.Op, id string) bool { return op.Do == rest.DoCreate && id != "" }

// fatal reports whether an error is about more than one record.
func fatal(err error) bool {
	var known *app.Error
	return errors.As(err, &known) && known.Code != app.CodeShopAnswer
}

// alone reports whether an op can't be among others: several at once are
// deleted for good, and only one by one into the trash.
func (s *shop) alone(so sort, op rest.Op) bool { return op.Do == rest.DoDelete && so.trash }

func (so sort) at(parent string) string {
	if strings.Contains(so.path, "%s") {
		return fmt.Sprintf(so.path, parent)
	}
	return so.path
}

// several carries out ops in one request.
func (s *shop) several(ctx context.Context, so sort, ops []rest.Op) ([]rest.Result, error) {
	if len(ops) == 1 && s.alone(so, ops[0]) {
		err := s.remove(ctx, so, ops[0])
		if fatal(err) {
			return nil, err
		}
		return []rest.Result{{ID: ops[0].ID, Err: err}}, nil
	}
	body := struct {
		Create []map[string]any `json:"create,omitempty"`
		Update []map[string]any `json:"update,omitempty"`
		Delete []any            `json:"delete,omitempty"`
	}{}
	for _, op := range ops {
		switch op.Do {
		case rest.DoCreate:
			body.Create = append(body.Create, so.body(op))
		case rest.DoDelete:
			body.Delete = append(body.Delete, number(op.ID))
		case rest.DoUpdate, rest.DoPublish:
			body.Update = append(body.Update, so.body(op))
		}
	}
	var answer struct{ Create, Update, Delete []outcome }
	if _, err := s.ask(ctx, rest.Request{Method: http.MethodPost, Path: so.at(ops[0].Parent) + "/batch", Body: body}, &answer); err != nil {
		return nil, s.refused(so, err)
	}
	results := make([]rest.Result, 0, len(ops))
	var made, changed, deleted int
	for _, op := range ops {
		list, at := answer.Update, &changed
		switch op.Do {
		case rest.DoCreate:
			list, at = answer.Create, &made
		case rest.DoDelete:
			list, at = answer.Delete, &deleted
		case rest.DoUpdate, rest.DoPublish:
		}
		if *at >= len(list) {
			return results, broken(so.Name, "fewer results than asked for")
		}
		res, err := s.settle(ctx, so, op, list[*at])
		if err != nil {
			return results, err
		}
		results = append(results, res)
		*at++
	}
	return results, nil
}

// outcome is what became of one element of a batch.
type outcome struct {
	ID    json.RawMessage `json:"id"`
	Error *refusal        `json:"error"`
}

// settle reads one outcome. A record that is refused because it is there
// already, made by an attempt whose end nobody saw, is brought to what it is
// to be.
func (s *shop) settle(ctx context.Context, so sort, op rest.Op, o outcome) (rest.Result, error) {
	res := rest.Result{ID: strings.Trim(string(o.ID), `"`)}
	switch {
	case o.Error == nil:
		return res, nil
	case op.Do == rest.DoDelete && o.Error.Data.Status == http.StatusNotFound:
		return rest.Result{ID: op.ID}, nil
	case op.Do != rest.DoCreate || o.Error.Data.ResourceID == "" || o.Error.Data.ResourceID == "0":
		res.Err = refusedWith(o.Error.Code)
		return res, nil
	}
	op.Do, op.ID = rest.DoUpdate, o.Error.Data.ResourceID.String()
	id, err := s.one(ctx, so, op)
	if fatal(err) {
		return res, err
	}
	return rest.Result{ID: id, Err: err}, nil
}

// refusedWith names a refusal by its code: its message may name a customer.
func refusedWith(code string) error { return fmt.Errorf("the shop refused it: %s", code) }

// refused is an error of something written.
func (s *shop) refused(so sort, err error) error {
	var st *rest.StatusError
	var why refusal
	if errors.As(err, &st) && json.Unmarshal(st.Body, &why) == nil && why.Code != "" {
		if st.Status == http.StatusUnauthorized || st.Status == http.StatusForbidden {
			return s.about(so.Name, err)
		}
		return refusedWith(why.Code)
	}
	return s.about(so.Name, err)
}

// body is what is sent of a record.
func (so sort) body(op rest.Op) map[string]any {
	m := map[string]any{}
	for f, v := range op.Record {
		if op.Fields == nil || op.Do == rest.DoCreate || slices.Contains(op.Fields, f) {
			m[f] = v
		}
	}
	if op.Do != rest.DoCreate {
		m["id"] = number(op.ID)
	}
	if op.Do == rest.DoPublish {
		m["status"] = op.Record["status"]
	}
	for f, v := range m {
		switch {
		case v != nil:
		case strings.HasPrefix(f, "date_") && op.Do != rest.DoCreate:
			m[f] = "" // how WooCommerce is told that there is no date
		default:
			delete(m, f) // it refuses null where a number may stand
		}
	}
	if so.meta && op.Do == rest.DoCreate {
		list, _ := m["meta_data"].([]any)
		list = append(slices.Clone(list), map[string]any{"key": originKey, "value": op.Was})
		m["meta_data"] = list
	}
	so.trim(m, op)
	return m
}

// trim takes care of what a kind takes in another form than it gives.
func (so sort) trim(m map[string]any, op rest.Op) {
	switch so.Name {
	case "payment_gateways", "shipping_zone_methods":
		if settings, ok := m["settings"].(map[string]any); ok {
			m["settings"] = plainSettings(settings)
		}
	case "customers":
		if op.Do == rest.DoCreate && m["username"] == nil {
			delete(m, "username")
		}
	case "orders":
		if op.Do == rest.DoCreate {
			m["set_paid"] = false
		}
	}
}

// plainSettings takes settings from how they are shown to how they are set.
func plainSettings(shown map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range shown {
		if m, ok := v.(map[string]any); ok {
			v = m["value"]
		}
		out[name] = v
	}
	return out
}

// one carries out one op by itself.
func (s *shop) one(ctx context.Context, so sort, op rest.Op) (string, error) {
	if op.Do == rest.DoDelete {
		return op.ID, s.remove(ctx, so, op)
	}
	switch so.Name {
	case "settings":
		return s.setSetting(ctx, so, op)
	case "shipping_zone_locations":
		_, err := s.ask(ctx, rest.Request{Method: http.MethodPut, Path: so.at(op.Parent), Body: op.Record["locations"]}, nil)
		if err != nil {
			return op.ID, s.refused(so, err)
		}
		return op.Parent, nil
	case "shipping_zone_methods":
		if op.Do == rest.DoCreate {
			return s.addMethod(ctx, so, op)
		}
	case "library":
		if op.Do == rest.DoCreate {
			return s.upload(ctx, so, op)
		}
	}
	r := rest.Request{Method: http.MethodPost, Path: so.at(op.Parent), Body: so.body(op)}
	if op.Do != rest.DoCreate {
		r.Method, r.Path = http.MethodPut, r.Path+"/"+url.PathEscape(op.ID)
	}
	var made json.RawMessage
	if _, err := s.ask(ctx, r, &made); err != nil {
		return op.ID, s.refused(so, err)
	}
	record, err := so.record(op.Parent, made)
	return record.ID, err
}

func (s *shop) orRefused(so sort, err error) error {
	if err == nil {
		return nil
	}
	return s.refused(so, err)
}

// remove puts a record into the trash, or deletes it where there is none.
func (s *shop) remove(ctx context.Context, so sort, op rest.Op) error {
	r := rest.Request{Method: http.MethodDelete, Path: so.at(op.Parent) + "/" + url.PathEscape(op.ID), Query: url.Values{}}
	if !so.trash {
		r.Query.Set("force", "true")
	}
	_, err := s.ask(ctx, r, nil)
	if gone(err) {
		return nil
	}
	return s.orRefused(so, err)
}

func (s *shop) setSetting(ctx context.Context, so sort, op rest.Op) (string, error) {
	group, id, _ := strings.Cut(op.ID, ".")
	_, err := s.ask(ctx, rest.Request{
		Method: http.MethodPut, Path: so.path + "/" + url.PathEscape(group) + "/" + url.PathEscape(id), Body: map[string]any{"value": op.Record["value"]},
	}, nil)
	return op.ID, s.orRefused(so, err)
}

// addMethod adds a way of shipping to a zone, and then sets it up: it is made
// with nothing but its sort.
func (s *shop) addMethod(ctx context.Context, so sort, op rest.Op) (string, error) {
	var made struct {
		ID json.Number `json:"id"`
	}
	body := map[string]any{"method_id": op.Record["method_id"]}
	if _, err := s.ask(ctx, rest.Request{Method: http.MethodPost, Path: so.at(op.Parent), Body: body}, &made); err != nil {
		return "", s.refused(so, err)
	}
	op.Do, op.ID = rest.DoUpdate, made.ID.String()
	op.Fields = slices.DeleteFunc(slices.Collect(maps.Keys(op.Record)), func(f string) bool { return f == "method_id" })
	return s.one(ctx, so, op)
}

// upload sends a picture, and then what is said of it.
func (s *shop) upload(ctx context.Context, so sort, op rest.Op) (id string, err error) {
	if op.Open == nil {
		return "", errors.New("the backup has no file for it")
	}
	f, err := op.Open()
	if err != nil {
		return "", fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	file, err := io.ReadAll(f)
	if err != nil {
		return "", fmt.Errorf("read file: %w", err)
	}
	name, _ := op.Record["slug"].(string)
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`"\/`, r) {
			return '-'
		}
		return r
	}, name)
	h := http.Header{"Content-Disposition": {`attachment; filename="` + name + op.Ext + `"`}, "Content-Type": {"application/octet-stream"}}
	var made struct {
		ID json.Number `json:"id"`
	}
	if _, err := s.ask(ctx, rest.Request{Method: http.MethodPost, Path: so.path, Body: file, Header: h}, &made); err != nil {
		return "", s.refused(so, err)
	}
	op.Do, op.ID, op.Fields = rest.DoUpdate, made.ID.String(), nil
	return s.one(ctx, so, op)
}
