DROP TABLE magic_link_requests;
DROP TABLE magic_links;
