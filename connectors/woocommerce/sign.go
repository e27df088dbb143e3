package woocommerce

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sign adds an OAuth 1.0a signature to a request, as WooCommerce wants it where
// nothing is encrypted: the secret itself does not travel.
func (l login) sign(r *http.Request) error {
	q := r.URL.Query()
	q.Del("oauth_signature")
	q.Set("oauth_consumer_key", l.key.Reveal())
	q.Set("oauth_nonce", rand.Text())
	q.Set("oauth_signature_method", "HMAC-SHA256")
	q.Set("oauth_timestamp", strconv.FormatInt(time.Now().Unix(), 10))
	q.Set("oauth_signature", signature(r.Method, r.URL, q, l.secret.Reveal()))
	r.URL.RawQuery = q.Encode()
	return nil
}

// signature is what WooCommerce computes on its side.
func signature(method string, u *url.URL, q url.Values, secret string) string {
	var params []string
	for k, vs := range q {
		for _, v := range vs {
			params = append(params, percent(k)+"="+percent(v))
		}
	}
	slices.Sort(params)
	at := u.Scheme + "://" + u.Host + u.EscapedPath()
	text := method + "&" + percent(at) + "&" + percent(strings.Join(params, "&"))
	mac := hmac.New(sha256.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percent escapes as RFC 3986 has it.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
