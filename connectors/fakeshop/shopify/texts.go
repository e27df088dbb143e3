package shopify

// Translate gives a text of a resource in another language.
func (s *Shop) Translate(id, locale, key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setText(id, locale, key, value)
}

func (s *Shop) setText(id, locale, key, value string) {
	for _, t := range s.texts[id] {
		if t["locale"] == locale && t["key"] == key {
			t["value"] = value
			return
		}
	}
	s.texts[id] = append(s.texts[id], Object{"__typename": "Translation", "key": key, "locale": locale, "value": value, "outdated": false})
}

// Texts returns the translations of a resource, by locale and key.
func (s *Shop) Texts(id string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for _, t := range s.texts[id] {
		out[text(t["locale"])+" "+text(t["key"])] = text(t["value"])
	}
	return out
}

// AddLocale adds a language to the shop.
func (s *Shop) AddLocale(locale string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locales = append(s.locales, Object{"__typename": "ShopLocale", "locale": locale, "name": locale, "primary": false, "published": true})
}

// SetPolicy writes one of the shop's policies.
func (s *Shop) SetPolicy(typ, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range list(s.roots["shop"]["shopPolicies"]) {
		if o := asObject(p); o["type"] == typ {
			o["body"], o["updatedAt"] = body, s.now()
		}
	}
}

// Policy returns one of the shop's policies.
func (s *Shop) Policy(typ string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range list(s.roots["shop"]["shopPolicies"]) {
		if o := asObject(p); o["type"] == typ {
			return text(o["body"])
		}
	}
	return ""
}
