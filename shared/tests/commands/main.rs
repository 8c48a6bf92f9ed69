//! Every command and every refusal, as statements about a shop.

mod khata;
mod shop;
