DROP TABLE used_challenges;
DROP TABLE factor_challenges;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
