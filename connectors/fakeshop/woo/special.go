package woo

import (
	"encoding/json"
	"net/http"
	"strings"
)

// special answers for what is no list of records; it reports whether it did.
func (s *Shop) special(w http.ResponseWriter, r *http.Request, path string) bool {
	switch {
	case path == "wc/v3/system_status":
		send(w, http.StatusOK, fieldsOf(Record{
			"environment":    Record{"version": "11.0.1", "wp_version": "6.9.1", "php_version": "8.4.1", "server_info": "nginx"},
			"active_plugins": []any{Record{"plugin": "woocommerce/woocommerce.php", "name": "WooCommerce", "version": "11.0.1"}},
			"theme":          Record{"name": "Storefront", "version": "4.6.0"},
			"database":       Record{"database_size": Record{"data": len(s.requests)}},
		}, r.URL.Query()))
	case path == "wc/v3/payment_gateways" || strings.HasPrefix(path, "wc/v3/payment_gateways/"):
		s.gateways(w, r, strings.TrimPrefix(strings.TrimPrefix(path, "wc/v3/payment_gateways"), "/"))
	case path == "wc/v3/settings":
		send(w, http.StatusOK, []Record{{"id": "general", "label": "General"}, {"id": "tax", "label": "Tax"}})
	case strings.HasPrefix(path, "wc/v3/settings/"):
		s.settings(w, r, strings.TrimPrefix(path, "wc/v3/settings/"))
	case strings.HasPrefix(path, "wc/v3/shipping/zones/") && strings.HasSuffix(path, "/locations"):
		s.places(w, r, num(strings.TrimSuffix(strings.TrimPrefix(path, "wc/v3/shipping/zones/"), "/locations")))
	default:
		return false
	}
	return true
}

// authentication is what WordPress says of the ways in: an empty list is how PHP
// writes that there are none.
func (s *Shop) authentication() any {
	if s.NoPasswords {
		return []any{}
	}
	return Record{"application-passwords": Record{"endpoints": Record{"authorization": s.URL + s.Admin + "/wp-admin/authorize-application.php"}}}
}

// state returns what is kept of something that is no list.
func (s *Shop) state(name string, first Record) Record {
	t := s.kinds[name]
	if t == nil {
		t = &table{rows: map[int64]Record{0: first}}
		s.kinds[name] = t
	}
	return t.rows[0]
}

func (s *Shop) gateways(w http.ResponseWriter, r *http.Request, id string) {
	row := s.state("_gateway", Record{
		"id": "bacs", "title": "Banköverföring", "description": "", "order": "", "enabled": true, "method_title": "Direct bank transfer", "method_supports": []any{"products"},
		"settings": Record{"title": Record{"id": "title", "label": "Title", "value": "Banköverföring", "default": ""}}, "needs_setup": false,
	})
	switch {
	case id == "" && r.Method == http.MethodGet:
		w.Header().Set("X-WP-Total", "1")
		w.Header().Set("X-WP-TotalPages", "1")
		send(w, http.StatusOK, []Record{fieldsOf(row, r.URL.Query())})
	case id == "bacs" && r.Method == http.MethodPut:
		var body Record
		if json.NewDecoder(r.Body).Decode(&body) == nil {
			s.setSettings(row, body["settings"])
			for _, f := range []string{"title", "description", "enabled"} {
				if v, ok := body[f]; ok {
					row[f] = v
				}
			}
		}
		send(w, http.StatusOK, row)
	default:
		refuse(w, http.StatusNotFound, "woocommerce_rest_payment_gateway_invalid", "Invalid ID.")
	}
}

func (s *Shop) settings(w http.ResponseWriter, r *http.Request, path string) {
	group, id, _ := strings.Cut(path, "/")
	first := Record{"general": "Storgatan 1", "tax": "no"}
	names := map[string]string{"general": "woocommerce_store_address", "tax": "woocommerce_calc_taxes"}
	if names[group] == "" {
		refuse(w, http.StatusNotFound, "rest_setting_setting_group_invalid", "Invalid setting group.")
		return
	}
	row := s.state("_setting_"+group, Record{"id": names[group], "label": "Etikett", "type": "text", "default": "", "value": first[group]})
	if id != "" && r.Method == http.MethodPut {
		var body Record
		if json.NewDecoder(r.Body).Decode(&body) == nil {
			row["value"] = body["value"]
		}
		send(w, http.StatusOK, row)
		return
	}
	send(w, http.StatusOK, []Record{fieldsOf(row, r.URL.Query())})
}

// places are where a zone of shipping is.
func (s *Shop) places(w http.ResponseWriter, r *http.Request, zone int64) {
	row := s.kinds["shipping_zones"].rows[zone]
	if row == nil {
		refuse(w, http.StatusNotFound, "woocommerce_rest_shipping_zone_invalid", "Invalid ID.")
		return
	}
	if r.Method == http.MethodPut {
		var list []any
		if json.NewDecoder(r.Body).Decode(&list) == nil {
			row["_places"] = list
		}
	}
	list, _ := row["_places"].([]any)
	if list == nil {
		list = []any{}
	}
	send(w, http.StatusOK, list)
}
