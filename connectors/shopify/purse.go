package shopify

import "kvart/connectors/rest"

var _ rest.Purse = (*Platform)(nil)

// Currency implements [rest.Purse].
func (p *Platform) Currency(from *rest.Reading) (currency string, err error) {
	err = from.Each(kindShop, func(m map[string]any) error {
		currency = rest.At(m, "currencyCode")
		return nil
	})
	return currency, err
}

// Minor implements [rest.Purse].
func (p *Platform) Minor() bool { return false }
