//go:build unix

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// A web shop's database as WooCommerce keeps it. The rows are made as
// tab-separated text, which both servers load: column by column the same in
// MariaDB and in PostgreSQL.

// shopTable is one table.
type shopTable struct {
	name    string
	columns string // with {text} for a long text and {id} for a number of 64 bits
	indexes []string
	rows    int
	// row writes the fields of a row after its number.
	row func(w *rowWriter, id int)
	// change is what an update sets.
	change string
}

// Numbers of things in a shop whose dump has 500 MB.
const (
	shopOrders   = 130_000
	shopProducts = 22_000
	shopUsers    = 60_000
)

// shopData is the database at a scale.
type shopData struct {
	seed   uint64
	scale  float64
	tables []shopTable
}

func newShopData(scale float64, seed uint64) *shopData {
	d := &shopData{seed: seed, scale: scale}
	n := func(of int) int { return max(int(float64(of)*scale), 50) }
	orders, products, users := n(shopOrders), n(shopProducts), n(shopUsers)
	d.tables = []shopTable{
		{
			"wp_posts", "post_author {id} NOT NULL, post_date TIMESTAMP NOT NULL, post_title VARCHAR(200) NOT NULL, post_content {text} NOT NULL, post_status VARCHAR(20) NOT NULL, post_type VARCHAR(20) NOT NULL, guid VARCHAR(255) NOT NULL, menu_order INT NOT NULL",
			[]string{"post_type, post_status, post_date", "post_author"},
			products + 2*n(4000), d.post, "menu_order = menu_order + 1",
		},
		{
			"wp_postmeta", "post_id {id} NOT NULL, meta_key VARCHAR(80) NOT NULL, meta_value {text}",
			[]string{"post_id", "meta_key"},
			products * 60, d.postMeta, "meta_value = concat(meta_value, '1')",
		},
		{
			"wp_users", "user_login VARCHAR(60) NOT NULL, user_pass VARCHAR(80) NOT NULL, user_email VARCHAR(100) NOT NULL, registered TIMESTAMP NOT NULL, display_name VARCHAR(120) NOT NULL, user_status INT NOT NULL",
			[]string{"user_login", "user_email"},
			users, d.user, "user_status = user_status + 1",
		},
		{
			"wp_usermeta", "user_id {id} NOT NULL, meta_key VARCHAR(80) NOT NULL, meta_value {text}",
			[]string{"user_id", "meta_key"},
			users * 14, d.userMeta, "meta_value = concat(meta_value, '1')",
		},
		{
			"wp_options", "option_name VARCHAR(120) NOT NULL, option_value {text} NOT NULL, autoload VARCHAR(4) NOT NULL",
			[]string{"autoload"},
			4000, d.option, "option_value = concat(option_value, '1')",
		},
		{
			"wp_comments", "comment_post {id} NOT NULL, author VARCHAR(80) NOT NULL, at TIMESTAMP NOT NULL, content {text} NOT NULL, approved VARCHAR(8) NOT NULL, kind VARCHAR(20) NOT NULL",
			[]string{"comment_post", "at"},
			orders * 2, d.comment, "approved = '2'",
		},
		{
			"wp_wc_orders", "status VARCHAR(20) NOT NULL, currency VARCHAR(4) NOT NULL, total NUMERIC(12,2) NOT NULL, customer_id {id} NOT NULL, email VARCHAR(120) NOT NULL, created TIMESTAMP NOT NULL, payment VARCHAR(40) NOT NULL, ip VARCHAR(40) NOT NULL, agent VARCHAR(200) NOT NULL",
			[]string{"status, created", "customer_id", "email"},
			orders, d.order, "status = 'wc-completed'",
		},
		{
			"wp_wc_order_addresses", "order_id {id} NOT NULL, kind VARCHAR(20) NOT NULL, first_name VARCHAR(60) NOT NULL, last_name VARCHAR(60) NOT NULL, street VARCHAR(120) NOT NULL, city VARCHAR(60) NOT NULL, postcode VARCHAR(12) NOT NULL, country VARCHAR(2) NOT NULL, phone VARCHAR(24) NOT NULL",
			[]string{"order_id"},
			orders * 2, d.address, "phone = concat('0', phone)",
		},
		{
			"wp_wc_orders_meta", "order_id {id} NOT NULL, meta_key VARCHAR(80) NOT NULL, meta_value {text}",
			[]string{"order_id"},
			orders * 5, d.orderMeta, "meta_value = concat(meta_value, '1')",
		},
		{
			"wp_wc_order_stats", "order_id {id} NOT NULL, created TIMESTAMP NOT NULL, items INT NOT NULL, gross DOUBLE PRECISION NOT NULL, tax DOUBLE PRECISION NOT NULL, net DOUBLE PRECISION NOT NULL, returning_customer SMALLINT NOT NULL, status VARCHAR(20) NOT NULL",
			[]string{"created", "status"},
			orders, d.orderStats, "status = 'wc-completed'",
		},
		{
			"wp_wc_order_product_lookup", "order_id {id} NOT NULL, product_id {id} NOT NULL, customer_id {id} NOT NULL, created TIMESTAMP NOT NULL, quantity INT NOT NULL, net DOUBLE PRECISION NOT NULL, gross DOUBLE PRECISION NOT NULL",
			[]string{"order_id", "product_id", "created"},
			orders * 2, d.lookup, "quantity = quantity + 1",
		},
		{
			"wp_woocommerce_order_items", "name VARCHAR(200) NOT NULL, kind VARCHAR(40) NOT NULL, order_id {id} NOT NULL",
			[]string{"order_id"},
			orders * 3, d.item, "kind = 'line_item_changed'",
		},
		{
			"wp_woocommerce_order_itemmeta", "item_id {id} NOT NULL, meta_key VARCHAR(80) NOT NULL, meta_value {text}",
			[]string{"item_id", "meta_key"},
			orders * 22, d.itemMeta, "meta_value = concat(meta_value, '1')",
		},
	}
	return d
}

// rowWriter writes fields of one row.
type rowWriter struct {
	b []byte
	r *rand.Rand
}

func (w *rowWriter) text(s ...string) {
	w.b = append(w.b, '\t')
	for _, part := range s {
		w.b = append(w.b, part...)
	}
}

func (w *rowWriter) num(n int) { w.b = strconv.AppendInt(append(w.b, '\t'), int64(n), 10) }

func (w *rowWriter) amount(n int) {
	w.b = strconv.AppendInt(append(w.b, '\t'), int64(n/100), 10)
	w.b = append(w.b, '.', byte('0'+n/10%10), byte('0'+n%10))
}

// at writes a time that goes on with n.
func (w *rowWriter) at(n int) {
	w.b = time.Unix(1_600_000_000+int64(n)*97, 0).UTC().AppendFormat(append(w.b, '\t'), time.DateTime)
}

// words writes a text of n words.
func (w *rowWriter) words(n int) {
	w.b = append(w.b, '\t')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ' ')
		}
		w.b = append(w.b, shopWords[w.r.IntN(len(shopWords))]...)
	}
}

func (w *rowWriter) pick(of []string) { w.text(of[w.r.IntN(len(of))]) }

// code writes n letters and digits as tokens and keys have them.
func (w *rowWriter) code(n int) {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	w.b = append(w.b, '\t')
	for range n {
		w.b = append(w.b, letters[w.r.IntN(len(letters))])
	}
}

var (
	shopWords = strings.Fields(`kaffe bönor mörkrost lätt rostad Etiopien Colombia påse frakt kund beställning leverans färsk smak av choklad och bär med hel mald
 för bryggning i press eller espresso rättvis handel ekologisk gård höjd över havet tvättad naturlig torkad skörd år lager nyhet rea present kort kopp bricka kanna
 filter våg termos såld slut åter order betald skickad makulerad retur bytt <p> </p> <strong> </strong> the quick brown fox; 100% 'äkta' "vara" &amp; år`)
	shopNames   = strings.Fields(`Åsa Örjan Märta Göran Björn Sólveig Zoë Håkan Elin Noor Kerstin Łukasz Anna Erik Lars Karin Maria Per Eva Nils Sara Olof`)
	shopFamily  = strings.Fields(`Sjöberg Ångström Öberg Lindqvist Hällgren Åkesson Nuñez Blomkvist Järvinen Ek Andersson Johansson Karlsson Nilsson Berg`)
	shopTowns   = strings.Fields(`Umeå Örebro Malmö Växjö Göteborg Luleå Sölvesborg Åmål Östhammar Stockholm Uppsala Lund Kiruna Visby`)
	shopStates  = []string{"wc-completed", "wc-completed", "wc-completed", "wc-processing", "wc-refunded", "wc-cancelled"}
	shopPays    = []string{"klarna_payments", "swish", "stripe", "bacs"}
	shopAgents  = []string{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (X11; Linux x86_64)"}
	productKeys = strings.Fields(`_sku _price _regular_price _sale_price _stock _stock_status _manage_stock _weight _length _width _height total_sales _tax_class _tax_status
 _wc_average_rating _wc_review_count _product_version _thumbnail_id _product_image_gallery _backorders _sold_individually _virtual _downloadable _edit_lock _edit_last
 _yoast_wpseo_title _yoast_wpseo_metadesc _yoast_wpseo_focuskw _yoast_wpseo_linkdex _yoast_wpseo_content_score`)
	userKeys  = strings.Fields(`nickname first_name last_name description wp_capabilities wp_user_level billing_city billing_phone billing_postcode billing_email session_tokens last_update paying_customer _money_spent`)
	itemKeys  = strings.Fields(`_product_id _variation_id _qty _tax_class _line_subtotal _line_subtotal_tax _line_total`)
	orderKeys = strings.Fields(`_billing_address_index _shipping_address_index _transaction_id _paid_date _download_permissions_granted`)
)

func (d *shopData) post(w *rowWriter, id int) {
	w.num(1 + w.r.IntN(9))
	w.at(id)
	w.words(5)
	w.words(60 + w.r.IntN(80))
	w.text("publish")
	w.text([...]string{"product", "product", "product", "page", "attachment"}[id%5])
	w.text("https://kafferosteriet.example/?p=", strconv.Itoa(id))
	w.num(0)
}

func (d *shopData) postMeta(w *rowWriter, id int) {
	w.num(1 + id/60)
	key := productKeys[id%len(productKeys)]
	w.text(key)
	if strings.HasPrefix(key, "_yoast") {
		w.words(6)
		return
	}
	w.num(w.r.IntN(100_000))
}

func (d *shopData) user(w *rowWriter, id int) {
	w.text("kund", strconv.Itoa(id))
	w.b = append(w.b, "\t$P$B"...)
	w.b = append(w.b, w.token(30)...)
	w.text("kund", strconv.Itoa(id), "@exempel.example")
	w.at(id)
	w.text(shopNames[w.r.IntN(len(shopNames))], " ", shopFamily[w.r.IntN(len(shopFamily))])
	w.num(0)
}

func (w *rowWriter) token(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[w.r.IntN(len(letters))]
	}
	return string(b)
}

func (d *shopData) userMeta(w *rowWriter, id int) {
	w.num(1 + id/14)
	key := userKeys[id%14]
	w.text(key)
	switch key {
	case "session_tokens":
		w.text(`a:1:{s:64:"`, w.token(64), `";a:4:{s:10:"expiration";i:17`, strconv.Itoa(10_000_000+w.r.IntN(80_000_000)), `;}}`)
	case "wp_capabilities":
		w.text(`a:1:{s:8:"customer";b:1;}`)
	case "billing_city":
		w.pick(shopTowns)
	case "first_name", "nickname":
		w.pick(shopNames)
	case "last_name":
		w.pick(shopFamily)
	default:
		w.num(w.r.IntN(1_000_000))
	}
}

func (d *shopData) option(w *rowWriter, id int) {
	w.text("option_", strconv.Itoa(id))
	w.words(20 + w.r.IntN(60))
	w.text("yes")
}

func (d *shopData) comment(w *rowWriter, id int) {
	w.num(1 + id/2)
	w.text("WooCommerce")
	w.at(id / 2)
	w.words(8 + w.r.IntN(8))
	w.text("1")
	w.text("order_note")
}

func (d *shopData) order(w *rowWriter, id int) {
	w.pick(shopStates)
	w.text("SEK")
	w.amount(4900 + w.r.IntN(400_000))
	user := 1 + w.r.IntN(int(max(shopUsers*d.scale, 50)))
	w.num(user)
	w.text("kund", strconv.Itoa(user), "@exempel.example")
	w.at(id)
	w.pick(shopPays)
	w.text("10.", strconv.Itoa(w.r.IntN(256)), ".", strconv.Itoa(w.r.IntN(256)), ".", strconv.Itoa(w.r.IntN(256)))
	w.pick(shopAgents)
}

func (d *shopData) address(w *rowWriter, id int) {
	w.num(1 + id/2)
	w.text([...]string{"billing", "shipping"}[id%2])
	w.pick(shopNames)
	w.pick(shopFamily)
	w.text("Storgatan ", strconv.Itoa(1+w.r.IntN(200)), " lgh ", strconv.Itoa(1000+w.r.IntN(500)))
	w.pick(shopTowns)
	w.num(10_000 + w.r.IntN(89_999))
	w.text("SE")
	w.text("07", strconv.Itoa(10_000_000+w.r.IntN(89_999_999)))
}

func (d *shopData) orderMeta(w *rowWriter, id int) {
	w.num(1 + id/5)
	w.text(orderKeys[id%5])
	if id%5 < 2 {
		w.text(shopNames[w.r.IntN(len(shopNames))], " ", shopFamily[w.r.IntN(len(shopFamily))], " Storgatan ", strconv.Itoa(w.r.IntN(200)), " ", shopTowns[w.r.IntN(len(shopTowns))])
		return
	}
	w.code(20)
}

func (d *shopData) orderStats(w *rowWriter, id int) {
	w.num(id)
	w.at(id)
	w.num(1 + w.r.IntN(4))
	gross := 4900 + w.r.IntN(400_000)
	w.amount(gross)
	w.amount(gross / 5)
	w.amount(gross - gross/5)
	w.num(w.r.IntN(2))
	w.pick(shopStates)
}

func (d *shopData) lookup(w *rowWriter, id int) {
	w.num(1 + id/2)
	w.num(1 + w.r.IntN(int(max(shopProducts*d.scale, 50))))
	w.num(1 + w.r.IntN(int(max(shopUsers*d.scale, 50))))
	w.at(id / 2)
	w.num(1 + w.r.IntN(3))
	w.amount(4900 + w.r.IntN(40_000))
	w.amount(4900 + w.r.IntN(50_000))
}

func (d *shopData) item(w *rowWriter, id int) {
	w.words(4)
	w.text([...]string{"line_item", "line_item", "shipping"}[id%3])
	w.num(1 + id/3)
}

func (d *shopData) itemMeta(w *rowWriter, id int) {
	w.num(1 + id/7)
	w.text(itemKeys[id%7])
	w.num(w.r.IntN(50_000))
}

// stream writes rows from..to of a table. The same rows come out whatever was
// asked for before.
func (d *shopData) stream(out io.Writer, t *shopTable, from, to int) error {
	w := &rowWriter{r: rand.New(rand.NewPCG(d.seed, uint64(from)<<8|uint64(len(t.name))))}
	for id := from; id <= to; id++ {
		w.b = strconv.AppendInt(w.b, int64(id), 10)
		t.row(w, id)
		w.b = append(w.b, '\n')
		if len(w.b) > 1<<20 || id == to {
			if _, err := out.Write(w.b); err != nil {
				return fmt.Errorf("write rows of %s: %w", t.name, err)
			}
			w.b = w.b[:0]
		}
	}
	return nil
}

// trade is a quarter's statements for one table: about a half per cent of its
// rows, most of them the newest, which orders on their way are, and some
// anywhere, which are products and customers. The rows added come apart.
func (d *shopData) trade(t *shopTable, round int) (added int, statements []string) {
	newest := t.rows / 250 // 0.4 %
	added = max(t.rows/1500, 1)
	statements = append(statements, fmt.Sprintf("UPDATE %s SET %s WHERE id > %d AND id <= %d", t.name, t.change, t.rows-newest, t.rows))
	r := rand.New(rand.NewPCG(d.seed, uint64(round)<<32|uint64(t.rows)))
	var ids []string
	for range max(t.rows/15_000, 2) {
		ids = append(ids, strconv.Itoa(1+r.IntN(t.rows)))
	}
	statements = append(statements, fmt.Sprintf("UPDATE %s SET %s WHERE id IN (%s)", t.name, t.change, strings.Join(ids, ", ")))
	return added, statements
}

// create is the table's definition.
func (t *shopTable) create(text, id string) string {
	columns := strings.NewReplacer("{text}", text, "{id}", id).Replace(t.columns)
	return fmt.Sprintf("CREATE TABLE %s (id %s NOT NULL PRIMARY KEY, %s)", t.name, id, columns)
}
