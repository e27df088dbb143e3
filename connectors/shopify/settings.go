package shopify

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"kvart/app"
)

// Fields of the settings.
const (
	fieldShop          = "shop"
	fieldClientID      = "client_id"
	fieldClientSecret  = "client_secret"
	fieldToken         = "token"
	fieldRestoreID     = "restore_client_id"
	fieldRestoreSecret = "restore_client_secret"
	fieldRestoreToken  = "restore_token"
	fieldRestoreOrders = "restore_orders" // of rest.OptIn
)

// domain is where every shop lives under a name of its own.
const domain = ".myshopify.com"

// shopName is what Shopify takes for the name of a shop.
var shopName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

// key opens a shop: the merchant's own app by its client credentials, or an
// older token that never ends.
type key struct {
	clientID string
	secret   app.Secret
	token    app.Secret
}

func (k key) isZero() bool { return k.token.IsZero() && (k.clientID == "" || k.secret.IsZero()) }

// config is how a shop is reached.
type config struct {
	shop    string // its name without the domain
	base    string // "https://name.myshopify.com"
	read    key
	restore key
}

// readConfig reads the settings. loopback is the address of a shop on this
// computer that stands in for the real one; "" but in tests.
func readConfig(a app.Access, loopback string) (cfg config, err error) {
	s := a.Source.Settings
	if cfg.shop, err = normalShop(s[fieldShop]); err != nil {
		return config{}, err
	}
	cfg.base = "https://" + cfg.shop + domain
	if loopback != "" {
		if err := onlyLoopback(loopback); err != nil {
			return config{}, err
		}
		cfg.base = strings.TrimSuffix(loopback, "/")
	}
	cfg.read = key{strings.TrimSpace(s[fieldClientID]), trimmed(a.Secrets[fieldClientSecret]), trimmed(a.Secrets[fieldToken])}
	cfg.restore = key{strings.TrimSpace(s[fieldRestoreID]), trimmed(a.Secrets[fieldRestoreSecret]), trimmed(a.Secrets[fieldRestoreToken])}
	if cfg.read.isZero() {
		return config{}, bad(fieldClientSecret, "neither a client id with its secret nor a token")
	}
	return cfg, nil
}

// normalShop returns the shop's name from what an owner types for it: the name,
// its myshopify.com address, or a URL of either the shop or its admin. It is
// never a host elsewhere, since the key would be shown to it.
func normalShop(typed string) (string, error) {
	s := strings.ToLower(strings.TrimSpace(typed))
	if s == "" {
		return "", bad(fieldShop, "no shop")
	}
	if strings.Contains(s, "://") || strings.Contains(s, "/") {
		if !strings.Contains(s, "://") {
			s = "https://" + s
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Port() != "" {
			return "", bad(fieldShop, "%q is no shop's address", typed)
		}
		s = u.Hostname()
		if s == "admin.shopify.com" {
			rest, ok := strings.CutPrefix(u.Path, "/store/")
			if !ok {
				return "", bad(fieldShop, "%q names no shop", typed)
			}
			s, _, _ = strings.Cut(rest, "/")
		} else if !strings.HasSuffix(s, domain) {
			return "", bad(fieldShop, "%q is not below myshopify.com", typed)
		}
	}
	s = strings.TrimSuffix(s, domain)
	if !shopName.MatchString(s) {
		return "", bad(fieldShop, "%q is no shop's name or myshopify.com address", typed)
	}
	return s, nil
}

func onlyLoopback(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return bad(fieldShop, "address %q: %w", address, err)
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return bad(fieldShop, "%q is not on this computer", address)
	}
	return nil
}

// trimmed is a secret without the white space that came along when it was
// pasted.
func trimmed(s app.Secret) app.Secret { return app.NewSecret(strings.TrimSpace(s.Reveal())) }

func bad(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "shopify: settings", format, args...).With("field", field)
}
