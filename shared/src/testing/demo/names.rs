//! Who the customers of a demonstration are, and what they buy. All of it is made up.

use super::super::rng::Rng;
use crate::money::Paise;
use crate::quantity::Unit;

/// First names, in Latin letters and in Devanagari.
const FIRST: [(&str, &str); 48] = [
    ("Aarti", "आरती"),
    ("Abdul", "अब्दुल"),
    ("Ajay", "अजय"),
    ("Amit", "अमित"),
    ("Anil", "अनिल"),
    ("Anjali", "अंजलि"),
    ("Arjun", "अर्जुन"),
    ("Asha", "आशा"),
    ("Balwant", "बलवंत"),
    ("Bharat", "भरत"),
    ("Chandan", "चंदन"),
    ("Deepak", "दीपक"),
    ("Devi", "देवी"),
    ("Farida", "फ़रीदा"),
    ("Ganesh", "गणेश"),
    ("Geeta", "गीता"),
    ("Gopal", "गोपाल"),
    ("Gurpreet", "गुरप्रीत"),
    ("Harish", "हरीश"),
    ("Imran", "इमरान"),
    ("Indira", "इंदिरा"),
    ("Jyoti", "ज्योति"),
    ("Kamla", "कमला"),
    ("Kavita", "कविता"),
    ("Kiran", "किरण"),
    ("Lakshmi", "लक्ष्मी"),
    ("Mahesh", "महेश"),
    ("Manoj", "मनोज"),
    ("Mary", "मैरी"),
    ("Meena", "मीना"),
    ("Mohan", "मोहन"),
    ("Nandini", "नंदिनी"),
    ("Nitin", "नितिन"),
    ("Pooja", "पूजा"),
    ("Prakash", "प्रकाश"),
    ("Priya", "प्रिया"),
    ("Rahul", "राहुल"),
    ("Rajesh", "राजेश"),
    ("Rekha", "रेखा"),
    ("Rohit", "रोहित"),
    ("Sanjay", "संजय"),
    ("Savita", "सविता"),
    ("Shabnam", "शबनम"),
    ("Suresh", "सुरेश"),
    ("Sunita", "सुनीता"),
    ("Thomas", "थॉमस"),
    ("Usha", "उषा"),
    ("Vijay", "विजय"),
];

/// Localities, as a shopkeeper tells two of one name apart.
const LOCALITY: [(&str, &str); 24] = [
    ("Gandhi Nagar", "गांधी नगर"),
    ("Nehru Road", "नेहरू रोड"),
    ("Station Road", "स्टेशन रोड"),
    ("Bus Stand", "बस स्टैंड"),
    ("Mandir Gali", "मंदिर गली"),
    ("Masjid Gali", "मस्जिद गली"),
    ("Old Bazaar", "पुराना बाज़ार"),
    ("New Colony", "नई कॉलोनी"),
    ("Rail Colony", "रेल कॉलोनी"),
    ("Patel Chowk", "पटेल चौक"),
    ("Tilak Chowk", "तिलक चौक"),
    ("Shivaji Park", "शिवाजी पार्क"),
    ("Ambedkar Nagar", "अंबेडकर नगर"),
    ("Sadar", "सदर"),
    ("Kumhar Wada", "कुम्हार वाड़ा"),
    ("Mill Area", "मिल एरिया"),
    ("Lake View", "लेक व्यू"),
    ("Temple Street", "मंदिर मार्ग"),
    ("Post Office", "डाकघर"),
    ("School Lane", "स्कूल लेन"),
    ("Ram Bagh", "राम बाग"),
    ("Subhash Marg", "सुभाष मार्ग"),
    ("Chandni Gali", "चाँदनी गली"),
    ("River Side", "नदी किनारा"),
];

/// Notes that stand beside entries.
pub const NOTES: [&str; 8] = [
    "for the puja",
    "son took it",
    "will pay on the 5th",
    "शादी का सामान",
    "बाद में देंगे",
    "half kilo more",
    "phone order",
    "बेटी ले गई",
];

/// A good of the shop.
pub struct Good {
    /// What it is called.
    pub name: &'static str,
    /// How it is counted.
    pub unit: Unit,
    /// What one of it costs.
    pub price: Paise,
}

const fn good(name: &'static str, unit: Unit, price_paise: i64) -> Good {
    Good {
        name,
        unit,
        price: Paise(price_paise),
    }
}

/// What is bought.
pub const GOODS: [Good; 16] = [
    good("Atta 5 kg", Unit::Packet, 250_00),
    good("Rice", Unit::Kilogram, 56_00),
    good("Toor dal", Unit::Kilogram, 148_00),
    good("Sugar", Unit::Kilogram, 44_00),
    good("Mustard oil", Unit::Litre, 180_00),
    good("Tea 250 g", Unit::Packet, 95_00),
    good("Milk", Unit::Litre, 62_00),
    good("Biscuits", Unit::Packet, 10_00),
    good("Soap", Unit::Piece, 38_50),
    good("Salt", Unit::Packet, 28_00),
    good("आलू", Unit::Kilogram, 30_00),
    good("प्याज़", Unit::Kilogram, 42_00),
    good("Eggs", Unit::Dozen, 84_00),
    good("Turmeric 100 g", Unit::Packet, 32_00),
    good("Matches", Unit::Piece, 2_00),
    good("Detergent 1 kg", Unit::Packet, 115_00),
];

/// The name of the `index`-th customer: different for every one. Every third is in Devanagari.
pub fn customer(index: usize, rng: &mut Rng) -> String {
    // 48 and 24 names, walked so that neighbours differ in both.
    let first = FIRST[(index * 7 + index / FIRST.len()) % FIRST.len()];
    let round = index / FIRST.len();
    let locality = LOCALITY[(round * 2 + index) % LOCALITY.len()];
    let again = index / (FIRST.len() * LOCALITY.len());
    let hindi = rng.chance(33);
    let (first, locality) = if hindi {
        (first.1, locality.1)
    } else {
        (first.0, locality.0)
    };
    match again {
        0 => format!("{first}, {locality}"),
        _ => format!("{first}, {locality} ({})", again + 1),
    }
}

/// A telephone number that no operator gives out: those of India begin with 6 to 9.
pub fn phone(index: usize) -> String {
    format!("50000{:05}", index % 100_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_customers_share_a_name() {
        let mut rng = Rng::new(1);
        let names: BTreeSet<String> = (0..3000).map(|index| customer(index, &mut rng)).collect();
        assert_eq!(names.len(), 3000);
    }
}
